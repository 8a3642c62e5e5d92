import type { z } from "zod";
import { HoldfastError } from "../errors.ts";
import { localStorage } from "./local/local-storage.ts";
import { s3ConfigSchema } from "./s3/s3-schema.ts";
import { s3Storage } from "./s3/s3-storage.ts";
import { sftpConfigSchema, sftpSecretSchema } from "./sftp/sftp-schema.ts";
import { sftpStorage } from "./sftp/sftp-storage.ts";
import type { Storage } from "./storage.ts";

/** What is needed to reach a destination; lives in memory only. */
export interface StorageSpec {
  name: string;
  kind: string;
  config: Record<string, unknown>;
  /** S3: the secret key. SFTP: JSON of sftpSecretSchema. */
  secret?: string | undefined;
  /** Of this installation; the destination's marker must carry it. */
  installId: string;
}

/** The adapter for a destination. Throws `invalid` for a kind, config or secret that can't be used. */
export function storageFor(spec: StorageSpec): Storage {
  const { kind, config, installId } = spec;
  switch (kind) {
    case "local":
      if (typeof config.folder === "string") return localStorage(config.folder, installId);
      break;
    case "s3":
      return s3Storage(parsed(s3ConfigSchema, config, spec), secretOf(spec), { installId });
    case "sftp": {
      const secret = parsed(sftpSecretSchema, JSON.parse(secretOf(spec)), spec);
      return sftpStorage(parsed(sftpConfigSchema, config, spec), secret, installId);
    }
  }
  throw new HoldfastError("invalid", `The destination ${spec.name} is of a kind that is not known here.`, {
    remedy: "Choose one of: local, s3, sftp.",
  });
}

/** Every text in a destination's secret that must never be shown. */
export function secretTexts({ kind, secret }: Pick<StorageSpec, "kind" | "secret">): string[] {
  if (secret === undefined) return [];
  if (kind !== "sftp") return [secret];
  const { password, passphrase, privateKey } = sftpSecretSchema.parse(JSON.parse(secret));
  // Logs are redacted line by line.
  const lines = (privateKey ?? "").split(/\r?\n/).filter((line) => /^[A-Za-z0-9+/=]{16,}$/.test(line));
  return [secret, password, passphrase, ...lines].filter(
    (text) => text !== undefined && text !== "",
  ) as string[];
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, { name }: StorageSpec): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new HoldfastError("invalid", `The settings of the destination ${name} can't be read.`, {
    remedy: "Add it again under Settings, Destinations.",
    cause: result.error,
  });
}

function secretOf({ name, secret }: StorageSpec): string {
  if (secret !== undefined) return secret;
  throw new HoldfastError("invalid", `The destination ${name} has no secret to sign in with.`, {
    remedy: "Enter it again under Settings, Destinations.",
  });
}
