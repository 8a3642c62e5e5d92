import { engineFor } from "../../engines/registry.ts";
import { HoldfastError, isHoldfastError } from "../../errors.ts";
import type { OperationHandler, Run } from "../../operations/handler.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { loadAccess } from "../load-access.ts";
import { recordProbe, registrationFindings } from "../record-probe.ts";
import type { Finding } from "../schema.ts";
import { preflightOperation } from "./preflight.ts";

type Payload = { databaseId: string };

export const preflightHandler: OperationHandler<typeof preflightOperation.payload> = {
  definition: preflightOperation,
  async run(run) {
    const { databaseId } = run.payload;
    const { ctx, signal } = run;
    const database = await ctx.db.database.findUnique({
      where: { id: databaseId },
      select: { engine: true },
    });
    if (!database) throw new HoldfastError("not_found", "The database is not registered any more.");
    const engine = engineFor(database.engine);
    const access = await load(run);
    const info = await run.step(
      "Connect",
      () => unlessUnreachable(run, () => engine.probe(access, signal)),
      (found) => `${engine.label} ${found.version}`,
    );
    const findings = await run.step(
      "Look",
      async () => [
        ...(await registrationFindings(ctx.db, engine, info, databaseId, signal)),
        ...(await engine.preflight(access, signal)),
      ],
      summary,
    );
    const at = ctx.clock.now();
    return {
      reason: summary(findings),
      result: {
        findings: findings.length,
        problems: count(findings, "problem"),
        warnings: count(findings, "warning"),
      },
      async commit(tx) {
        await recordProbe(tx, databaseId, { at, info });
        await tx.database.updateMany({
          where: { id: databaseId },
          data: { preflight: { at: at.toISOString(), findings }, preflightAt: at },
        });
      },
    };
  },
};

async function load(run: Run<Payload>) {
  const access = await loadAccess(run.ctx, await processKeyring(), run.payload.databaseId);
  run.hide(access.password);
  return access;
}

/** What keeps us from the server is a finding of its own, and the operation has failed for that reason. */
async function unlessUnreachable<T>(run: Run<Payload>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isHoldfastError(error) || run.signal.aborted) throw error;
    const { databaseId } = run.payload;
    const at = run.ctx.clock.now();
    const finding: Finding = {
      id: "reachable",
      title: "Reachable",
      state: "problem",
      detail: error.message,
      why: error.remedy ?? "Nothing can be backed up that can't be reached.",
    };
    await run.save(async (tx) => {
      await recordProbe(tx, databaseId, { at, error: error.message });
      await tx.database.updateMany({
        where: { id: databaseId },
        data: { preflight: { at: at.toISOString(), findings: [finding] }, preflightAt: at },
      });
    });
    throw error;
  }
}

function count(findings: Finding[], state: Finding["state"]): number {
  return findings.filter((finding) => finding.state === state).length;
}

function summary(findings: Finding[]): string {
  const problems = count(findings, "problem");
  const warnings = count(findings, "warning");
  if (problems + warnings === 0) return "nothing is missing";
  const parts = [
    ...(problems > 0 ? [`${problems} ${problems === 1 ? "problem" : "problems"}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
  ];
  return parts.join(", ");
}
