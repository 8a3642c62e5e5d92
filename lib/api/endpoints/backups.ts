import { Readable } from "node:stream";
import { z } from "zod";
import { backupDays } from "../../backups/backup-days.ts";
import { copyBackup } from "../../backups/copy-backup.ts";
import { deleteBackup } from "../../backups/delete-backup.ts";
import { downloadArtefact } from "../../backups/download-artefact.ts";
import { getBackup } from "../../backups/get-backup.ts";
import { getManifest } from "../../backups/get-manifest.ts";
import { listBackups } from "../../backups/list-backups.ts";
import { listProofTables } from "../../backups/list-proof-tables.ts";
import { pinBackup, unpinBackup } from "../../backups/pin-backup.ts";
import { restoreBackup } from "../../backups/restore-backup.ts";
import { runBackup } from "../../backups/run-backup.ts";
import {
  backupDaySchema,
  backupDaysQuery,
  backupItemSchema,
  backupSchema,
  copyBackupInput,
  downloadArtefactQuery,
  listBackupsQuery,
  listProofTablesQuery,
  pinBackupInput,
  restoreBackupInput,
  runBackupInput,
  verifyBackupInput,
} from "../../backups/schema.ts";
import { verifyBackup } from "../../backups/verify-backup.ts";
import { operationItemSchema } from "../../operations/schema.ts";
import { pageOf } from "../../paging.ts";
import { comparedTableSchema } from "../../proof/schema.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Backups";

export const backupEndpoints = [
  endpoint({
    method: "GET",
    path: "/backups",
    tag,
    summary: "Backups, newest first",
    permission: "read",
    query: listBackupsQuery,
    output: pageOf(backupItemSchema),
    handle: (ctx, { query }) => listBackups(ctx, query),
  }),
  endpoint({
    method: "POST",
    path: "/backups",
    tag,
    summary: "Back a database up; its proof follows",
    permission: "backup.run",
    body: runBackupInput,
    output: backupItemSchema,
    status: 202,
    handle: (ctx, { body }) => runBackup(ctx, body),
  }),
  endpoint({
    method: "GET",
    path: "/backups/{backup}",
    tag,
    summary: "One backup with its proof, copies and restore commands",
    permission: "read",
    output: backupSchema,
    handle: (ctx, { params }) => getBackup(ctx, params.backup ?? ""),
  }),
  endpoint({
    method: "GET",
    path: "/backups/{backup}/tables",
    tag,
    summary: "Tables that its proof compared, different ones first",
    permission: "read",
    query: listProofTablesQuery,
    output: pageOf(comparedTableSchema),
    handle: (ctx, { params, query }) => listProofTables(ctx, params.backup ?? "", query),
  }),
  endpoint({
    method: "GET",
    path: "/backups/{backup}/manifest",
    tag,
    summary: "The manifest, byte for byte as it was published",
    permission: "read",
    streams: ["application/json"],
    handle: async (ctx, { params }) =>
      new Response(await getManifest(ctx, params.backup ?? ""), {
        headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
      }),
  }),
  endpoint({
    method: "GET",
    path: "/backups/{backup}/artefacts/{artefact}",
    tag,
    summary: "One artefact as stored or as dumped; people send their password as x-confirm-password",
    permission: "backup.download",
    query: downloadArtefactQuery,
    streams: ["application/octet-stream"],
    handle: async (ctx, { params, query, headers, signal }) => {
      const { fileName, bytes, stream } = await downloadArtefact(ctx, {
        backup: params.backup ?? "",
        artefact: params.artefact ?? "",
        query,
        confirmPassword: headers.get("x-confirm-password"),
      });
      signal.addEventListener("abort", () => stream.destroy(), { once: true });
      return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, {
        headers: {
          "content-type": "application/octet-stream",
          "content-disposition": `attachment; filename="${fileName}"`,
          "cache-control": "no-store",
          ...(bytes === null ? {} : { "content-length": String(bytes) }),
        },
      });
    },
  }),
  endpoint({
    method: "POST",
    path: "/backups/{backup}/verify",
    tag,
    summary: "Prove a backup again",
    permission: "backup.verify",
    body: verifyBackupInput,
    output: operationItemSchema,
    status: 202,
    handle: (ctx, { params, body }) => verifyBackup(ctx, params.backup ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/backups/{backup}/copies",
    tag,
    summary: "Make the copies that a backup lacks, from one that is good",
    permission: "backup.copy",
    body: copyBackupInput,
    output: operationItemSchema,
    status: 202,
    handle: (ctx, { params, body }) => copyBackup(ctx, params.backup ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/backups/{backup}/restore",
    tag,
    summary: "Restore into a new database, or over an existing one",
    permission: "backup.restore",
    body: restoreBackupInput,
    output: operationItemSchema,
    status: 202,
    handle: (ctx, { params, body }) => restoreBackup(ctx, params.backup ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/backups/{backup}/pin",
    tag,
    summary: "Hold a backup: nothing deletes it until it is unpinned",
    permission: "backup.pin",
    body: pinBackupInput,
    output: backupSchema,
    handle: (ctx, { params, body }) => pinBackup(ctx, params.backup ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/backups/{backup}/unpin",
    tag,
    summary: "Let the retention decide about a backup again",
    permission: "backup.pin",
    output: backupSchema,
    handle: (ctx, { params }) => unpinBackup(ctx, params.backup ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/backups/{backup}/delete",
    tag,
    summary: "Delete a backup's objects at every destination; its record stays",
    permission: "backup.delete",
    output: operationItemSchema,
    status: 202,
    handle: (ctx, { params }) => deleteBackup(ctx, params.backup ?? ""),
  }),
  endpoint({
    method: "GET",
    path: "/databases/{database}/backup-days",
    tag,
    summary: "Days with backups, for a calendar",
    permission: "read",
    query: backupDaysQuery,
    output: z.array(backupDaySchema),
    handle: (ctx, { params, query }) => backupDays(ctx, params.database ?? "", query),
  }),
];
