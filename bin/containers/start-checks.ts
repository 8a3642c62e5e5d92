import { openConsole } from "./console.ts";
import { run } from "./engine.ts";
import { assert, until } from "./project.ts";
import type { Check } from "./stage.ts";
import { keepLogs, signedIn, waitHealthy, waitReady, workersUp } from "./stage.ts";

const EMAIL = "admin@example.com";

/** What a process that runs in a container may and may not do, as it sees it itself. */
const CONFINED = `
id -u
grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/1/status | cut -f2
touch /app/x 2>/dev/null && echo "can write to /app"
touch /usr/bin/x 2>/dev/null && echo "can write to /usr/bin"
for at in $FOLDERS; do touch $at/x && rm $at/x || echo "cannot write to $at"; done
for at in $READ_ONLY; do touch $at/x 2>/dev/null && echo "can write to $at"; done
true`;

export const startChecks: Check[] = [
  {
    name: "keys are made once, and never again",
    essential: true,
    async run({ project, secrets }) {
      await project.compose(["run", "--rm", "-T", "keys"]);
      const again = await project.compose(["run", "--rm", "-T", "keys"]).catch(() => "refused");
      assert(again === "refused", "a second run made keys anew");
      const copy = ["run", "--rm", "-T", "keys", "tar", "-C", "/keys", "-c", "."];
      const files = await run(["tar", "-x", "-O", "-f", "-"], { input: await project.compose(copy) });
      for (const line of files.split(/\r?\n/).filter((text) => text !== "" && !text.startsWith("#"))) {
        secrets.set(`key ${secrets.size}`, line.trim());
      }
      return undefined;
    },
  },
  {
    name: "up with three workers: all of them healthy, ready on the published port",
    essential: true,
    async run(stage) {
      await stage.project.compose(["up", "-d", "--no-build", "--scale", "worker=3"]);
      await waitHealthy(stage, "postgres", 1);
      await waitHealthy(stage, "source", 1);
      await waitReady(stage);
      await waitHealthy(stage, "web", 1);
      await waitHealthy(stage, "worker", 3);
      const [migrate] = await stage.project.containers("migrate");
      assert(migrate?.State.ExitCode === 0, `migrate ended with ${migrate?.State.ExitCode}`);
      return undefined;
    },
  },
  {
    name: "no privileges: an ordinary user, no capabilities, a read-only root, its own folders writable",
    async run({ project }) {
      for (const [service, folders, readOnly] of [
        ["web", "/data /tmp", "/keys"],
        ["worker", "/data /work /tmp", "/keys"],
      ] as const) {
        for (const { Id, Mounts } of await project.containers(service)) {
          const env = ["-e", `FOLDERS=${folders}`, "-e", `READ_ONLY=${readOnly}`];
          const said = await project.run(["exec", ...env, Id, "sh", "-c", CONFINED]);
          const none = "0".repeat(16);
          const expected = ["10001", none, none, "1"].join("\n");
          const strange = Mounts.filter(
            ({ Type, Name }) => Type === "volume" && !Name?.startsWith(project.name),
          );
          assert(strange.length === 0, `${service} writes into a volume that nobody keeps`);
          assert(said.trim() === expected, `${service} is less confined than it should be:\n${said}`);
        }
      }
      return undefined;
    },
  },
  {
    name: "the first account: its link is in web's log, and one from the settings is made instead",
    essential: true,
    async run(stage) {
      const { project, url, secrets } = stage;
      const logs = await project.compose(["logs", "web"]);
      const link = /claim the first account at (\S+)/.exec(logs)?.[1];
      assert(link?.startsWith(`${url}/setup?token=`) === true, "web's log shows no link to claim with");
      const answer = await fetch(link);
      assert(answer.status === 200, `the link was answered ${answer.status}`);
      const password = secrets.get("password of the first account") ?? "";
      await keepLogs(stage);
      Object.assign(project.env, { HOLDFAST_ADMIN_EMAIL: EMAIL, HOLDFAST_ADMIN_PASSWORD: password });
      await project.compose(["up", "-d", "--no-build", "--scale", "worker=3"]);
      await waitReady(stage);
      stage.console = await openConsole(url, EMAIL, password);
      secrets.set("API token", stage.console.token);
      return undefined;
    },
  },
  {
    name: "three workers on three hosts, with fresh heartbeats, in the API",
    async run(stage) {
      const workers = await until("three workers are up", async () => {
        const up = await workersUp(stage);
        return up.length === 3 ? up : null;
      });
      assert(new Set(workers.map(({ host }) => host)).size === 3, "they share a host name");
      const first = workers[0]?.abilities;
      assert(first !== undefined, "no abilities");
      await until("each has renewed its heartbeat", async () => {
        const now = await workersUp(stage);
        const renewed = workers.filter((worker) =>
          now.some(({ id, heartbeatAt }) => id === worker.id && heartbeatAt > worker.heartbeatAt),
        );
        return renewed.length === 3 ? true : null;
      });
      return `isolation: ${first.isolation} (${first.isolationDetail})`;
    },
  },
  {
    name: "pages answer",
    async run(stage) {
      const paths = [
        "/",
        "/databases",
        "/backups",
        "/operations",
        "/audit",
        "/settings/workers",
        "/api-docs",
      ];
      for (const path of paths) {
        const { status, text } = await signedIn(stage).page(path);
        assert(status === 200 && text.includes("</html>"), `${path} was answered ${status}`);
      }
      return undefined;
    },
  },
];
