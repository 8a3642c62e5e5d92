"use server";
import type { z } from "zod";
import { act } from "@/lib/actions/act";
import { runBackup } from "@/lib/backups/run-backup";
import { verifyBackup } from "@/lib/backups/verify-backup";
import { archiveDatabase, unarchiveDatabase } from "@/lib/databases/archive-database";
import { createDatabase } from "@/lib/databases/create-database";
import { requestPreflight } from "@/lib/databases/request-preflight";
import type { CreateDatabaseInput, testConnectionInput, updateDatabaseInput } from "@/lib/databases/schema";
import { testConnection } from "@/lib/databases/test-connection";
import { updateDatabase } from "@/lib/databases/update-database";

interface One {
  database: string;
}

export async function createDatabaseAction(input: CreateDatabaseInput) {
  return await act((ctx) => createDatabase(ctx, input));
}

export async function updateDatabaseAction({
  database,
  change,
}: One & { change: z.input<typeof updateDatabaseInput> }) {
  return await act((ctx) => updateDatabase(ctx, database, change));
}

export async function testConnectionAction(input: z.input<typeof testConnectionInput>) {
  return await act((ctx) => testConnection(ctx, input));
}

export async function preflightAction({ database }: One) {
  return await act((ctx) => requestPreflight(ctx, database));
}

export async function archiveDatabaseAction({ database }: One) {
  return await act((ctx) => archiveDatabase(ctx, database));
}

export async function unarchiveDatabaseAction({ database }: One) {
  return await act((ctx) => unarchiveDatabase(ctx, database));
}

export async function backUpAction({ database }: One) {
  return await act((ctx) => runBackup(ctx, { database }));
}

export async function proveAction({ backup }: { backup: string }) {
  return await act((ctx) => verifyBackup(ctx, backup, {}));
}
