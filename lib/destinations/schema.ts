import { z } from "zod";
import { s3ConfigSchema } from "../storage/s3/s3-schema.ts";
import { sftpConfigSchema, sftpSecretSchema, sftpSignIn } from "../storage/sftp/sftp-schema.ts";

export const destinationKinds = ["local", "s3", "sftp"] as const;
export type DestinationKind = (typeof destinationKinds)[number];

export const localConfigSchema = z.object({
  folder: z.string().regex(/^\//, "Give an absolute folder on the worker's machine.").max(4096),
});

/** The settings of each kind, and which of them say where copies lie: those never change. */
export const CONFIGS = { local: localConfigSchema, s3: s3ConfigSchema, sftp: sftpConfigSchema } as const;
export const PLACE_FIELDS: Record<DestinationKind, string[]> = {
  local: ["folder"],
  s3: ["endpoint", "region", "bucket", "prefix"],
  sftp: ["host", "port", "folder"],
};

/** What credentials can't do while they can write. */
const lacks = z.array(z.enum(["read", "list", "delete"]));

export const destinationSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(destinationKinds),
  /** Without any secret. */
  config: z.record(z.string(), z.unknown()),
  /** Where it is, in one line. */
  place: z.string(),
  /** On another machine than Holdfast, as far as its address tells. */
  offHost: z.boolean(),
  lacks,
  /** What is right, and yet worth knowing. */
  warnings: z.array(z.string()),
  copies: z.number(),
  usedBytes: z.number(),
  freeBytes: z.number().nullable(),
  checkedAt: z.string().nullable(),
  checkError: z.string().nullable(),
  archivedAt: z.string().nullable(),
});
export type DestinationDto = z.infer<typeof destinationSchema>;

const name = z.string().regex(/^[a-z0-9-]{1,63}$/, "Use 1 to 63 lower-case letters, digits and hyphens.");
const secretKey = z.string().min(1, "Give the secret key.").max(1024);

const createS3 = z.object({
  name,
  kind: z.literal("s3"),
  config: s3ConfigSchema,
  secretKey,
  /** Makes the bucket when it is not there. */
  createBucket: z.boolean().optional(),
});
const createSftp = z.object({
  name,
  kind: z.literal("sftp"),
  config: sftpConfigSchema,
  ...sftpSignIn,
});
export const createDestinationInput = z
  .discriminatedUnion("kind", [
    z.object({ name, kind: z.literal("local"), config: localConfigSchema }),
    createS3,
    createSftp,
  ])
  .superRefine((input, context) => {
    if (input.kind !== "sftp") return;
    const { password, privateKey, passphrase } = input;
    for (const { message, path } of sftpSecretSchema.safeParse({ password, privateKey, passphrase }).error
      ?.issues ?? []) {
      context.addIssue({ code: "custom", message, path });
    }
  });
export type CreateDestinationInput = z.input<typeof createDestinationInput>;

/**
 * `config` holds what is to change, null for what is to go; where copies lie can't. Absent secrets are kept, and
 * asked for again with another user or access key.
 */
export const updateDestinationInput = z.object({
  name: name.optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  secretKey: secretKey.optional(),
  ...sftpSignIn,
});
export type UpdateDestinationInput = z.input<typeof updateDestinationInput>;

export const destinationTestSchema = z.object({
  ok: z.boolean(),
  message: z.string(),
  remedy: z.string().nullable(),
  freeBytes: z.number().nullable(),
  lacks,
});
export type DestinationTest = z.infer<typeof destinationTestSchema>;

export const readHostKeyInput = z.object({
  host: sftpConfigSchema.shape.host,
  port: sftpConfigSchema.shape.port,
});
/** A server's key as `ssh-keygen -l` shows it. */
export const hostKeySchema = z.object({ hostKey: z.string() });
