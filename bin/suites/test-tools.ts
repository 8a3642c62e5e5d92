import { existsSync } from "node:fs";
import { findChromium } from "../../e2e/chromium.ts";
import { lastLines, runTool } from "../../lib/start/run-tool.ts";
import { complain, say, step } from "../progress.mjs";

const APT_TIMEOUT_MS = 15 * 60_000;

const WITH_SERVERS = ["contract", "integration", "e2e"];
const WITH_STORES = ["contract", "integration"];

/** What suites run besides the project's own dependencies, and Debian's package for each. */
const NEEDED: { debian: string; there: () => boolean; suites: string[] }[] = [
  { debian: "chromium", there: () => findChromium() !== null, suites: ["e2e"] },
  {
    debian: "postgresql-client-15",
    there: () => existsSync("/usr/lib/postgresql/15/bin/pg_dump"),
    suites: WITH_SERVERS,
  },
  { debian: "bubblewrap", there: () => existsSync("/usr/bin/bwrap"), suites: WITH_SERVERS },
  { debian: "mariadb-server-core", there: () => existsSync("/usr/sbin/mariadbd"), suites: WITH_SERVERS },
  { debian: "mariadb-client", there: () => existsSync("/usr/bin/mariadb-dump"), suites: WITH_SERVERS },
  { debian: "age", there: () => existsSync("/usr/bin/age"), suites: WITH_SERVERS },
  { debian: "zstd", there: () => existsSync("/usr/bin/zstd"), suites: WITH_SERVERS },
  { debian: "e2fsprogs", there: () => existsSync("/sbin/mkfs.ext4"), suites: WITH_SERVERS },
  // A real S3 store.
  ...["ceph-mon", "ceph-osd", "ceph-mgr"].map((debian) => ({
    debian,
    there: () => existsSync(`/usr/bin/${debian}`),
    suites: WITH_STORES,
  })),
  { debian: "ceph-common", there: () => existsSync("/usr/bin/ceph"), suites: WITH_STORES },
  { debian: "radosgw", there: () => existsSync("/usr/bin/radosgw"), suites: WITH_STORES },
  { debian: "openssh-server", there: () => existsSync("/usr/sbin/sshd"), suites: WITH_SERVERS },
];

/**
 * Installs what these suites need, on Debian as root; says the command otherwise. Returns whether all of it is there.
 */
export async function ensureTestTools(chosen: readonly string[]): Promise<boolean> {
  const needed = NEEDED.filter(({ suites }) => suites.some((suite) => chosen.includes(suite)));
  const missing = needed.filter((tool) => !tool.there()).map((tool) => tool.debian);
  if (missing.length === 0) return true;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    complain(`The tests need ${missing.join(", ")}; on Debian 12: sudo apt-get update && sudo ${command}`);
    return false;
  }
  say(`The tests need ${missing.join(", ")}; installing with apt-get.`);
  const failure = await step(command, async () => {
    const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: APT_TIMEOUT_MS };
    await runTool("apt-get", ["update", "-q"], options);
    const args = ["install", "-y", "-q", "--no-install-recommends", ...missing];
    const result = await runTool("apt-get", args, options);
    return result.code === 0 ? null : lastLines(result.output, 3);
  });
  if (failure !== null) complain(`Installing failed: ${failure} Try: apt-get update && ${command}`);
  return failure === null;
}
