import { setFlagsFromString } from "node:v8";

// The worker renews leases and writes state: resident memory counts, speed does not. Before anything else is
// loaded, because the heap grows by these.
for (const flag of ["--optimize-for-size", "--max-semi-space-size=1", "--semi-space-growth-factor=1"]) {
  setFlagsFromString(flag);
}
await import("./main.ts");
