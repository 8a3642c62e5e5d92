import type { Tx } from "../../db/client.ts";
import type { Access, Engine, ServerInfo } from "../../engines/engine.ts";
import { engineFor } from "../../engines/registry.ts";
import type { HoldfastError } from "../../errors.ts";
import { isHoldfastError } from "../../errors.ts";
import { refuseForbiddenHost } from "../../network/forbidden-address.ts";
import type { OperationHandler, Run } from "../../operations/handler.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { recordProbe, registrationFindings } from "../record-probe.ts";
import type { ConnectionTest } from "../schema.ts";
import { testConnectionOperation, testPasswordAad } from "./test-connection.ts";
import { wipePassword } from "./wipe-password.ts";

type Payload = Parameters<
  NonNullable<OperationHandler<typeof testConnectionOperation.payload>["run"]>
>[0]["payload"];

export const testConnectionHandler: OperationHandler<typeof testConnectionOperation.payload> = {
  definition: testConnectionOperation,
  async run(run) {
    const engine = engineFor(run.payload.engine);
    const reached = await run.step("Connect", () => connect(run, engine));
    const at = run.ctx.clock.now();
    const result = "info" in reached ? await answer(run, engine, reached.info) : refusal(reached.error);
    return {
      state: result.ok ? "succeeded" : "failed",
      reason: result.message,
      result,
      async commit(tx) {
        await wipePassword(tx, run.operationId);
        if (run.payload.asRegistered && run.databaseId) await record(tx, run.databaseId, reached, at);
      },
    };
  },
  async onEnd(tx, ended) {
    await wipePassword(tx, ended.operationId);
  },
};

type Reached = { info: ServerInfo } | { error: HoldfastError };

async function connect(run: Run<Payload>, engine: Engine): Promise<Reached> {
  try {
    const access = await openAccess(run);
    return { info: await engine.probe(access, run.signal) };
  } catch (error) {
    if (isHoldfastError(error) && !run.signal.aborted) return { error };
    throw error;
  }
}

async function openAccess(run: Run<Payload>): Promise<Access> {
  const { connection, passwordSealed } = run.payload;
  await refuseForbiddenHost(connection);
  if (passwordSealed === null) return { connection };
  const password = (await processKeyring()).open(passwordSealed, testPasswordAad(run.operationId));
  run.hide(password);
  return { connection, password };
}

async function answer(run: Run<Payload>, engine: Engine, info: ServerInfo): Promise<ConnectionTest> {
  const findings = await registrationFindings(run.ctx.db, engine, info, run.databaseId, run.signal);
  const own = findings.find((finding) => finding.state === "problem");
  return {
    ok: own === undefined,
    message: own ? own.detail : `Connected to ${engine.label} ${info.version}.`,
    remedy: own ? "Register the databases that your teams run." : null,
    serverVersion: info.version,
    sizeBytes: info.sizeBytes,
    latencyMs: info.latencyMs,
    findings,
  };
}

function refusal(error: HoldfastError): ConnectionTest {
  return {
    ok: false,
    message: error.message,
    remedy: error.remedy ?? null,
    serverVersion: null,
    sizeBytes: null,
    latencyMs: null,
    findings: [],
  };
}

async function record(tx: Tx, databaseId: string, reached: Reached, at: Date): Promise<void> {
  const probe = "info" in reached ? { at, info: reached.info } : { at, error: reached.error.message };
  await recordProbe(tx, databaseId, probe);
}
