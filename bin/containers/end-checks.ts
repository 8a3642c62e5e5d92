import { fileURLToPath } from "node:url";
import type { WorkerDto } from "../../lib/workers/schema.ts";
import { wholeProof } from "./journey-checks.ts";
import { assert, until } from "./project.ts";
import type { Check } from "./stage.ts";
import { assertNoSecret, backupOf, holdfast, keepLogs, signedIn } from "./stage.ts";

/** Refuses what Docker's own profile refuses to containers without privileges: namespaces and mounts. */
const PROFILE = fileURLToPath(new URL("no-namespaces.json", import.meta.url));
const POOL = "confined";

export const endChecks: Check[] = [
  {
    name: "where the engine refuses namespaces, the proof says so and names the weaker isolation",
    async run(stage) {
      const { project, image, secrets } = stage;
      const container = `${project.name}-confined`;
      const own = `postgresql://holdfast:${secrets.get("password of Holdfast's own database")}@postgres/holdfast`;
      const env = [`DATABASE_URL=${own}`, `HOLDFAST_URL=${stage.url}`, `HOLDFAST_POOL=${POOL}`];
      await project.run([
        ...["run", "-d", "--name", container, "--init", "--read-only", "--tmpfs", "/tmp"],
        ...[
          "--cap-drop",
          "ALL",
          "--security-opt",
          "no-new-privileges",
          "--security-opt",
          `seccomp=${PROFILE}`,
        ],
        ...["--network", `${project.name}_default`, ...env.flatMap((one) => ["-e", one])],
        ...["-v", `${project.name}_keys:/keys:ro`, "-v", `${project.name}_data:/data`],
        ...["-v", `${project.name}_work:/work`],
        ...[image, "node", "bin/worker.mjs"],
      ]);
      try {
        const worker = await until("the confined worker is up", async () => {
          const { items } = await signedIn(stage).api<{ items: WorkerDto[] }>("/workers");
          return items.find(({ pool, state }) => pool === POOL && state === "up") ?? null;
        });
        const { isolation, isolationDetail } = worker.abilities;
        assert(isolation === "role", `its isolation is ${isolation}: ${isolationDetail}`);
        const url = `postgresql://shop:${secrets.get("password of the source")}@source/shop`;
        await signedIn(stage).api("/databases", {
          ...{ name: "shop-confined", engine: "postgres", environment: "staging", pool: POOL, url },
        });
        const { id } = await signedIn(stage).api<{ id: string }>("/backups", { database: "shop-confined" });
        const backup = await until("its backup is proven or not", async () => {
          const found = await backupOf(stage, id);
          if (found.state !== "running" && found.state !== "complete") {
            assert(false, `the backup's state is ${found.state}: ${found.reason}`);
          }
          return found.proof ? found : null;
        });
        const proof = wholeProof(backup, "role");
        const detail = proof.sandbox?.detail ?? "";
        assert(detail.includes("no namespaces"), `the proof says of its sandbox: ${detail}`);
        return detail;
      } finally {
        await project.run(["rm", "-f", container]).catch(() => "");
      }
    },
  },
  {
    name: "the audit log is intact",
    async run(stage) {
      return (await holdfast(stage, ["audit", "verify"])).trim();
    },
  },
  {
    name: "no log shows a secret",
    async run(stage) {
      await keepLogs(stage);
      const logs = stage.logs.join("\n");
      assert(logs.includes("worker is up"), "there are no logs");
      assertNoSecret(stage, logs, "a log");
      return `${logs.split("\n").length} lines`;
    },
  },
];
