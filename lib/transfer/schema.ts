import { z } from "zod";
import { engineKinds } from "../databases/schema.ts";
import { proofLevels, proofReportSchema, proofVerdicts } from "../proof/schema.ts";

/**
 * What the worker hands to its transfer child and gets back, over the child's IPC channel. The child has no
 * access to our own database and no master key: all it needs is in the message.
 */
const accessSchema = z.object({
  connection: z.record(z.string(), z.unknown()),
  password: z.string().optional(),
});
const destinationSpec = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  secret: z.string().optional(),
});
export type DestinationSpec = z.infer<typeof destinationSpec>;
const engineKind = z.enum(engineKinds);

const common = {
  operationId: z.string(),
  attempt: z.number(),
  engine: engineKind,
  tempDir: z.string(),
  /** Folders that a sandbox must not see. */
  hidden: z.array(z.string()),
};

export const dumpSpec = z.object({
  ...common,
  task: z.literal("dump"),
  access: accessSchema,
  /** The server that may be dumped, by its identity; null for any. */
  serverIdentity: z.string().nullable(),
  destinations: z.array(destinationSpec).min(1),
  /** Folder of this backup, relative to each destination's root. */
  path: z.string(),
  /** age recipients; empty leaves the artefacts unencrypted. */
  recipients: z.array(z.string()),
  /** zstd's, 1 to 9. */
  compressionLevel: z.number().optional(),
  lockWaitMs: z.number(),
  digestBudgetMs: z.number(),
  /** Manifest fields that only the worker knows. */
  manifest: z.record(z.string(), z.unknown()),
  /** Milliseconds that a destination may block the pipe before it is left behind; 60 s by default. */
  detachAfterMs: z.number().optional(),
});
const writtenCopy = z.object({
  destinationId: z.string(),
  state: z.enum(["stored", "failed"]),
  bytes: z.number(),
  reason: z.string().nullable(),
});
export const dumpResult = z.object({
  manifestText: z.string(),
  copies: z.array(writtenCopy),
  dumpSeconds: z.number(),
});

const sourceSpec = {
  destination: destinationSpec,
  /** Whose marker the destination carries. */
  installId: z.string(),
  path: z.string(),
  /** The manifest's text as it was published, from our database: the stored one must equal it. */
  manifestText: z.string(),
  /** age identities, newest first. */
  identities: z.array(z.string()),
};

export const verifySpec = z.object({
  ...common,
  ...sourceSpec,
  task: z.literal("verify"),
  /** "present" re-reads all bytes and stops there. */
  upTo: z.enum(["present", "restored"]),
});
export const verifyResult = z.object({
  level: z.enum(proofLevels).nullable(),
  verdict: z.enum(proofVerdicts),
  byCount: z.boolean(),
  reason: z.string(),
  copyState: z.enum(["stored", "missing", "altered", "unreachable"]),
  restoreSeconds: z.number().nullable(),
  isolation: z.enum(["namespaces", "role", "none"]).nullable(),
  report: proofReportSchema,
});

export const restoreSpec = z.object({
  ...common,
  ...sourceSpec,
  task: z.literal("restore"),
  /** A database on the target server that connections go through. */
  on: accessSchema,
  target: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("new"), name: z.string() }),
    z.object({ kind: z.literal("over"), name: z.string(), endSessions: z.boolean() }),
  ]),
  jobs: z.number(),
  spoolDir: z.string(),
});
export const restoreResult = z.object({
  equal: z.boolean(),
  reason: z.string(),
  restoreSeconds: z.number(),
  skipped: z.array(z.object({ object: z.string(), reason: z.string() })),
  report: proofReportSchema,
  access: accessSchema,
});

export const copySpec = z.object({
  ...common,
  task: z.literal("copy"),
  installId: z.string(),
  /** A copy that is thought to be good, and its folder there. */
  source: destinationSpec,
  sourcePath: z.string(),
  /** The manifest's text as it was published, from our database. */
  manifestText: z.string(),
  destinations: z.array(destinationSpec).min(1),
  /** Folder that is written, relative to each destination's root. */
  path: z.string(),
  detachAfterMs: z.number().optional(),
});
export const copyResult = z.object({
  /** What is wrong with the source; then nothing was copied. */
  fault: z.object({ state: z.enum(["missing", "altered", "unreachable"]), reason: z.string() }).nullable(),
  copies: z.array(writtenCopy),
});

export const removeSpec = z.object({
  task: z.literal("remove"),
  tempDir: z.string(),
  installId: z.string(),
  folders: z.array(z.object({ id: z.string(), destination: destinationSpec, path: z.string() })),
  /** Longest wait for one destination, in milliseconds. */
  limitMs: z.number(),
});
export const removeResult = z.object({
  /** Why a folder is still there; null when it is gone. */
  folders: z.array(z.object({ id: z.string(), error: z.string().nullable() })),
});

export const transferSpec = z.discriminatedUnion("task", [
  dumpSpec,
  verifySpec,
  restoreSpec,
  copySpec,
  removeSpec,
]);
export type TransferSpec = z.infer<typeof transferSpec>;
export type DumpSpec = z.infer<typeof dumpSpec>;
export type VerifySpec = z.infer<typeof verifySpec>;
export type RestoreSpec = z.infer<typeof restoreSpec>;
export type CopySpec = z.infer<typeof copySpec>;
export type RemoveSpec = z.infer<typeof removeSpec>;
export type RemoveResult = z.infer<typeof removeResult>;
export type CopyResult = z.infer<typeof copyResult>;
export type DumpResult = z.infer<typeof dumpResult>;
export type VerifyResult = z.infer<typeof verifyResult>;
export type RestoreResultMessage = z.infer<typeof restoreResult>;
