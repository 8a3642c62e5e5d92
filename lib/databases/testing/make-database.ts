import { randomBytes } from "node:crypto";
import type { Db } from "../../db/client.ts";
import type { Backup, Database, Prisma } from "../../db/generated/client.ts";
import { newId } from "../../ids.ts";

/** An environment of this name, made if it is not there. */
export async function makeEnvironment(db: Db, name: string, isProtected = false): Promise<string> {
  const found = await db.environment.findUnique({ where: { name } });
  if (found) return found.id;
  const position = (await db.environment.count()) + 1;
  const data = { id: newId(), name, position, protected: isProtected };
  return (await db.environment.create({ data })).id;
}

/** A registered database, straight into the table. */
export async function makeDatabase(
  db: Db,
  given: Partial<Omit<Prisma.DatabaseUncheckedCreateInput, "environmentId">> & { environment?: string } = {},
): Promise<Database> {
  const { environment = "staging", ...columns } = given;
  const name = given.name ?? `db-${randomBytes(4).toString("hex")}`;
  return await db.database.create({
    data: {
      id: newId(),
      name,
      engine: "postgres",
      application: name,
      environmentId: await makeEnvironment(db, environment),
      connection: { host: "db.internal", port: 5432, database: name, user: "backup", tls: "prefer" },
      ...columns,
    },
  });
}

/** A finished backup with one stored copy in a local destination. `ageMs` is the age of its data. */
export async function makeBackup(
  db: Db,
  databaseId: string,
  given: Partial<Prisma.BackupUncheckedCreateInput> & {
    ageMs?: number;
    copyState?: "stored" | "altered";
  } = {},
): Promise<Backup> {
  const { ageMs = 3_600_000, copyState = "stored", ...columns } = given;
  const at = new Date(Date.now() - ageMs);
  const destination = await db.destination.upsert({
    where: { name: "local" },
    create: { id: newId(), name: "local", kind: "local", config: { folder: "/var/backups" } },
    update: {},
  });
  const id = newId();
  return await db.backup.create({
    data: {
      id,
      databaseId,
      operationId: newId(),
      state: "complete",
      trigger: "click",
      path: id,
      createdAt: at,
      finishedAt: at,
      copies: { create: { id: newId(), destinationId: destination.id, path: id, state: copyState } },
      ...columns,
    },
  });
}

/** Columns of a backup that was proven when it was made. */
export function provenNow(ageMs = 3_600_000): Partial<Prisma.BackupUncheckedCreateInput> & { ageMs: number } {
  return {
    ageMs,
    proofVerdict: "proven",
    proofLevel: "restored",
    provenAt: new Date(Date.now() - ageMs),
    restoreSeconds: 11,
  };
}
