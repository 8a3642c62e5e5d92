import type { OperationDto } from "../../lib/operations/schema.ts";
import type { Container } from "./project.ts";
import { assert, until } from "./project.ts";
import type { Check, Stage } from "./stage.ts";
import {
  assertNoSecret,
  backupOf,
  containerOf,
  heldBackup,
  keepLogs,
  provenBackup,
  signedIn,
  waitFinal,
  waitHealthy,
  waitReady,
} from "./stage.ts";

/** A new attempt by another worker finished what this one could not. */
async function takenOver(stage: Stage, backupId: string, before: OperationDto): Promise<string> {
  const after = await waitFinal(stage, before.id);
  assert(after.state === "succeeded", `the backup ended ${after.state}: ${after.reason}`);
  assert(after.attempt === before.attempt + 1, `it took ${after.attempt} attempts`);
  assert(after.worker !== before.worker, `the same worker ${after.worker} ran it again`);
  const backup = await backupOf(stage, backupId);
  assert(backup.state === "complete", `the backup's state is ${backup.state}: ${backup.reason}`);
  const why = after.transitions.find(
    ({ attempt, state }) => attempt === before.attempt && state === "interrupted",
  );
  assert(why !== undefined, "its history does not say that it was interrupted");
  return why.reason;
}

/** Nothing of a sandbox or a transfer is left in the folders for temporary files. */
async function assertNoLeftovers(stage: Stage): Promise<void> {
  await until("no temporary folder is left", async () => {
    for (const { Id } of await stage.project.containers("worker")) {
      const found = await stage.project.run(["exec", Id, "find", "/work", "-mindepth", "2"]);
      if (found.trim() !== "") throw new Error(found.slice(0, 500));
    }
    return true;
  });
}

export const faultChecks: Check[] = [
  {
    name: "a worker killed in mid-backup: another takes over, its container comes back, nothing is left behind",
    async run(stage) {
      const { project } = stage;
      let victim: Container | undefined;
      const { backupId, operation } = await heldBackup(stage, async ({ worker }) => {
        victim = await containerOf(stage, worker ?? "");
        const list = ["exec", victim.Id, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"];
        const commands = await project.run(list);
        assert(commands.includes("transfer-child"), `no transfer runs there: ${commands}`);
        assertNoSecret(stage, commands, "a command line");
        // All but process 1, which the kernel keeps from its own: so the engine sees the container end by itself.
        await project.run(["exec", victim.Id, "sh", "-c", "kill -9 -1"]).catch(() => "");
      });
      const reason = await takenOver(stage, backupId, operation);
      await until("its container is back", async () => {
        const now = await containerOf(stage, operation.worker ?? "");
        return now.State.Running && now.State.StartedAt !== victim?.State.StartedAt ? true : null;
      });
      await waitHealthy(stage, "worker", 3);
      await assertNoLeftovers(stage);
      return reason;
    },
  },
  {
    name: "a worker told to stop in mid-backup ends in order within its grace period, and another takes over",
    async run(stage) {
      const { project } = stage;
      const { backupId, operation } = await heldBackup(stage, async ({ worker }) => {
        const told = await containerOf(stage, worker ?? "");
        await project.run(["stop", "-t", "30", told.Id]);
        const { State } = await containerOf(stage, worker ?? "");
        assert(!State.Running && State.ExitCode === 0, `it ended with ${State.ExitCode}`);
      });
      const reason = await takenOver(stage, backupId, operation);
      await project.run(["start", (await containerOf(stage, operation.worker ?? "")).Id]);
      await waitHealthy(stage, "worker", 3);
      await assertNoLeftovers(stage);
      return reason;
    },
  },
  {
    name: "web restarted in mid-backup: the backup goes on, tokens still work",
    async run(stage) {
      const { operation } = await heldBackup(stage, async () => {
        await stage.project.compose(["restart", "web"]);
        await waitReady(stage);
      });
      const after = await waitFinal(stage, operation.id);
      assert(after.state === "succeeded", `the backup ended ${after.state}: ${after.reason}`);
      assert(after.attempt === operation.attempt, `it took ${after.attempt} attempts`);
      return undefined;
    },
  },
  {
    name: "Holdfast's own Postgres restarted in mid-backup: the backup is completed, by itself or a new attempt",
    async run(stage) {
      const { operation } = await heldBackup(stage, async () => {
        await stage.project.compose(["restart", "postgres"]);
        await waitHealthy(stage, "postgres", 1);
      });
      const after = await waitFinal(stage, operation.id);
      assert(after.state === "succeeded", `the backup ended ${after.state}: ${after.reason}`);
      await waitReady(stage);
      await waitHealthy(stage, "worker", 3);
      return `attempt ${after.attempt}`;
    },
  },
  {
    name: "fewer workers: the others stop in order and are shown as stopped",
    async run(stage) {
      const before = await signedIn(stage).api<{ items: { id: string; state: string }[] }>("/workers");
      await stage.project.compose(["up", "-d", "--no-build", "--scale", "worker=1"]);
      await until("two workers are shown as stopped", async () => {
        const { items } = await signedIn(stage).api<typeof before>("/workers");
        const were = new Set(before.items.filter(({ state }) => state === "up").map(({ id }) => id));
        const mine = items.filter(({ id }) => were.has(id));
        const count = (state: string) => mine.filter((worker) => worker.state === state).length;
        return count("up") === 1 && count("stopped") === 2 ? true : null;
      });
      return undefined;
    },
  },
  {
    name: "stopped by compose, every service ends in order and with code 0, Postgres last",
    async run(stage) {
      const { project } = stage;
      const from = new Date().toISOString();
      await project.compose(["stop"]);
      for (const service of ["web", "worker", "postgres"]) {
        for (const { State } of await project.containers(service)) {
          assert(State.ExitCode === 0, `${service} ended with ${State.ExitCode}`);
        }
      }
      for (const { Id } of await project.containers("worker")) {
        const said = await project.run(["logs", "--since", from, Id]);
        assert(said.includes("worker stops"), `a worker says nothing of its end: ${said}`);
        assert(!said.includes("did not stop in order"), `a worker did not stop in order: ${said}`);
      }
      return undefined;
    },
  },
  {
    name: "down and up again: accounts, tokens, backups and keys are there, and the backup is proven again",
    async run(stage) {
      const { project } = stage;
      await keepLogs(stage);
      await project.compose(["down"]);
      await project.compose(["up", "-d", "--no-build"]);
      await waitReady(stage);
      const id = provenBackup(stage);
      const before = await backupOf(stage, id);
      const operation = await signedIn(stage).api<{ id: string }>(`/backups/${id}/verify`, {});
      const after = await waitFinal(stage, operation.id);
      assert(after.state === "succeeded", `the proof ended ${after.state}: ${after.reason}`);
      const backup = await backupOf(stage, id);
      assert(backup.proof?.verdict === "proven", `the verdict is ${backup.proof?.verdict}`);
      assert(backup.proof.id !== before.proof?.id, "no new proof was made");
      return undefined;
    },
  },
];
