import type { Tx } from "../db/client.ts";
import type { Engine, ServerInfo } from "../engines/engine.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { isOwnDatabase } from "./own-database.ts";
import type { Finding } from "./schema.ts";

/** Stores what a server told of itself, or why it could not be asked. */
export async function recordProbe(
  tx: Tx,
  databaseId: string,
  probe: { at: Date; info: ServerInfo } | { at: Date; error: string },
): Promise<void> {
  const learned =
    "info" in probe
      ? {
          serverIdentity: probe.info.identity,
          serverVersion: probe.info.version,
          sizeBytes: probe.info.sizeBytes === null ? null : BigInt(Math.round(probe.info.sizeBytes)),
          probeError: null,
        }
      : { probeError: probe.error };
  await tx.database.updateMany({ where: { id: databaseId }, data: { ...learned, probedAt: probe.at } });
  await emitEvent(tx, "databases", databaseId);
  await emitEvent(tx, "overview");
}

/** Findings that need our own data: Holdfast's own database, and the same database under another name. */
export async function registrationFindings(
  tx: Tx,
  engine: Engine,
  info: ServerInfo,
  databaseId: string | null,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (await ownDatabase(engine, info, signal)) {
    findings.push({
      id: "own-database",
      title: "Holdfast's own database",
      state: "problem",
      detail: "This connection reaches the database that Holdfast keeps its own data in.",
      why: "Restoring over it would destroy Holdfast's history while it is being written.",
    });
  }
  const others = await tx.database.findMany({
    where: {
      serverIdentity: info.identity,
      archivedAt: null,
      ...(databaseId ? { id: { not: databaseId } } : {}),
    },
  });
  const twin = others.find((other) => isSame(other.connection, info));
  if (twin) {
    findings.push({
      id: "registered-twice",
      title: "Registered twice",
      state: "warning",
      detail: `${twin.name} is the same database on the same server, reached by another address.`,
      why: "Both would be backed up; the two registrations wait for each other.",
    });
  }
  return findings;
}

/** An own database that can't be asked right now says nothing about the one that was reached. */
async function ownDatabase(engine: Engine, info: ServerInfo, signal: AbortSignal): Promise<boolean> {
  try {
    return await isOwnDatabase(engine, info, signal);
  } catch (error) {
    if (error instanceof HoldfastError) return false;
    throw error;
  }
}

/** On the same server: of the same name, or a file, whose identity is its own. */
function isSame(connection: unknown, info: ServerInfo): boolean {
  const { database, file } = connection as Record<string, unknown>;
  return file !== undefined || database === info.databaseName;
}
