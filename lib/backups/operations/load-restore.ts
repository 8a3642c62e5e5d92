import path from "node:path";
import type { z } from "zod";
import type { Ctx } from "../../context.ts";
import { readableCopies } from "../../destinations/readable-copies.ts";
import type { Access } from "../../engines/engine.ts";
import type { restoreBackupOperation } from "./restore-backup.ts";

export type RestorePayload = z.output<typeof restoreBackupOperation.payload>;

/** The backup of a restore with its good copies that can be read, the nearest first, and the database that it goes through. */
export async function loadRestore(ctx: Ctx, { backupId, databaseId }: RestorePayload) {
  const backup = await ctx.db.backup.findUniqueOrThrow({
    where: { id: backupId },
    include: {
      database: { include: { environment: true } },
      manifest: true,
      copies: { where: { state: "stored" }, include: { destination: true }, orderBy: { createdAt: "asc" } },
    },
  });
  const through = await ctx.db.database.findUniqueOrThrow({
    where: { id: databaseId },
    include: { environment: true },
  });
  return { backup: { ...backup, copies: readableCopies(backup.copies) }, through };
}
export type LoadedRestore = Awaited<ReturnType<typeof loadRestore>>;

/** A database's name on its server; for a file, its name without folder. */
export function placeName({ connection }: Access): string {
  if (typeof connection.database === "string") return connection.database;
  if (typeof connection.file === "string") return path.basename(connection.file);
  throw new Error("the connection names no database");
}
