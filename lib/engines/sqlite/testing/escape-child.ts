// Stands in a sandbox for a program that hostile bytes have taken over: asked to check, it tries to get out, and
// tells what it could do. What to try comes as the "fingerprint" of a first request.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";

export interface Targets {
  secret: string;
  open: string;
  /** A file that is not there yet. */
  temporary: string;
  port: number;
  socket: string;
  pid: number;
  clone: string;
}

const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

function reach(where: { port: number; host: string } | { path: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(where);
    socket.once("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", reject);
  });
}

/** Each attack tells what it got, or throws. */
const attacks = (to: Targets): Record<string, () => unknown> => ({
  "read a secret": () => readFileSync(to.secret, "utf8"),
  "read the passwords of the host": () => readFileSync("/etc/shadow", "utf8"),
  "read the accounts of the host": () => readFileSync("/etc/passwd", "utf8"),
  "list the root": () => readdirSync("/").join(" "),
  "list what is open to all": () => readdirSync(to.open).join(" "),
  "list the clone": () => readdirSync(to.clone).join(" "),
  "list processes": () => readdirSync("/proc").join(" "),
  "write where all may": () => writeFileSync(`${to.open}/touched`, "x"),
  "write to /tmp": () => writeFileSync(to.temporary, "x"),
  "write over its program": () => writeFileSync(process.argv[1] ?? "", "x"),
  "end the worker": () => process.kill(to.pid, "SIGKILL"),
  "run a shell": () => {
    const { error, status } = spawnSync("/bin/sh", ["-c", "exit 0"]);
    if (error ?? status !== 0) throw error ?? new Error(`exit code ${status}`);
  },
  "connect to a port of the host": () => reach({ port: to.port, host: "127.0.0.1" }),
  "connect to the metadata service of clouds": () => reach({ port: 80, host: "169.254.169.254" }),
  "connect to a socket of the host": () => reach({ path: to.socket }),
  "see the worker's environment": () => {
    if (!JSON.stringify(process.env).includes("not to be seen")) throw new Error("it is not there");
  },
});

/** Address space in GiB that could be had without touching it. */
function takeMemory(): string {
  const held: Buffer[] = [];
  try {
    while (held.length < 64) held.push(Buffer.allocUnsafeSlow(1024 ** 3));
  } catch {
    // This much was to be had.
  }
  return String(held.length);
}

/** Files that are each within the limit of one. */
function takeDisk(): string {
  for (let n = 0; n < 100; n++) writeFileSync(`file-${n}`, Buffer.alloc(1_000_000, 1));
  return "100 MB";
}

async function tell(name: string, attack: () => unknown): Promise<object> {
  try {
    return { name, state: "passed", detail: String(await attack()).slice(0, 1_000) };
  } catch (error) {
    return { name, state: "failed", detail: String(error) };
  }
}

let targets: Targets | undefined;
createInterface({ input: process.stdin }).on("line", async (line) => {
  const request = JSON.parse(line);
  if (request.task === "fingerprint") {
    targets = JSON.parse(request.like.takenAt) as Targets;
    say({ type: "result", value: { ...request.like, takenAt: "" } });
    return;
  }
  const checks: object[] = [];
  if (targets) {
    for (const [name, attack] of Object.entries(attacks(targets))) checks.push(await tell(name, attack));
  } else {
    checks.push(await tell("memory", takeMemory), await tell("disk", takeDisk));
  }
  say({ type: "result", value: checks });
});
say({ type: "ready", version: "3.0.0" });
