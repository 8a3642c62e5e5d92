import { z } from "zod";
import { pageQuery } from "../paging.ts";

export const engineKinds = ["postgres", "sqlite", "mariadb", "mysql"] as const;

export const databaseName = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/, "Use 1 to 63 lower-case letters, digits and hyphens.");

export const tlsModes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

export const postgresConnectionSchema = z.object({
  /** Name, address, or an absolute folder for a unix socket. */
  host: z.string().min(1, "Give the server's name or address.").max(255),
  port: z.number().int().min(1).max(65535).default(5432),
  database: z.string().min(1, "Give the name of the database on the server.").max(63),
  user: z.string().min(1, "Give the user to connect as.").max(63),
  tls: z.enum(tlsModes).default("prefer"),
  /** PEM of the authority that signed the server's certificate. */
  ca: z.string().max(100_000).optional(),
});
export const mariadbConnectionSchema = postgresConnectionSchema.extend({
  /** Name, address, or the full path of a unix socket. */
  host: z.string().min(1, "Give the server's name or address.").max(255),
  port: z.number().int().min(1).max(65535).default(3306),
  database: z.string().min(1, "Give the name of the database on the server.").max(64),
  user: z.string().min(1, "Give the user to connect as.").max(128),
});
export const sqliteConnectionSchema = z.object({
  file: z.string().regex(/^\//, "Give the file's absolute path on the worker's machine.").max(4096),
});
export type PostgresConnection = z.infer<typeof postgresConnectionSchema>;
export type MariadbConnection = z.infer<typeof mariadbConnectionSchema>;
export type SqliteConnection = z.infer<typeof sqliteConnectionSchema>;
export type Connection = PostgresConnection | MariadbConnection | SqliteConnection;

export const applicationName = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/, "An application's name has 1 to 63 lower-case letters, digits and hyphens.");

/** What a team ships; `databases` counts those that are registered and not archived. */
export const applicationSchema = z.object({ name: z.string(), databases: z.number() });
export type ApplicationDto = z.infer<typeof applicationSchema>;

const common = {
  application: applicationName.optional(),
  environment: z.string().min(1, "Choose an environment."),
  pool: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/)
    .default("default"),
  tags: z.array(z.string().min(1).max(40)).max(20).default([]),
  owner: z.string().max(120).optional(),
  note: z.string().max(2000).optional(),
};

/** Either `url` or `connection` (and `password`); both together are refused. */
export const createDatabaseInput = z.object({
  name: databaseName,
  engine: z.enum(engineKinds),
  ...common,
  url: z.string().max(4096).optional(),
  connection: z.record(z.string(), z.unknown()).optional(),
  password: z.string().max(1024).optional(),
});
export type CreateDatabaseInput = z.input<typeof createDatabaseInput>;

export const updateDatabaseInput = z.object({
  /** The version that was edited; another one is a conflict. */
  version: z.number().int(),
  name: databaseName.optional(),
  application: common.application,
  environment: z.string().optional(),
  pool: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/)
    .optional(),
  tags: z.array(z.string().min(1).max(40)).max(20).optional(),
  owner: z.string().max(120).nullable().optional(),
  note: z.string().max(2000).nullable().optional(),
  url: z.string().max(4096).optional(),
  connection: z.record(z.string(), z.unknown()).optional(),
  /** Absent keeps the stored one. */
  password: z.string().max(1024).optional(),
});

/** One thing that preflight looked at. `sql` is for the user to run; Holdfast never does. */
export const findingSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(["ok", "warning", "problem", "unknown"]),
  detail: z.string(),
  why: z.string(),
  sql: z.string().optional(),
});
export type Finding = z.infer<typeof findingSchema>;

export const preflightSchema = z.object({ at: z.string(), findings: z.array(findingSchema) });

/** How the Recoverable promise stands for one database; the text is a sentence part. */
export const promiseSchema = z.object({
  state: z.enum(["ok", "warning", "problem", "running", "unknown"]),
  text: z.string(),
  detail: z.string().nullable(),
  /** Path of the evidence; null while there is none. */
  href: z.string().nullable(),
});
export type PromiseState = z.infer<typeof promiseSchema>;

/** The 3-2-1 rule: three copies of the data (its own server's is one), two kinds of place, one on another machine. */
export const copiesSchema = z.object({
  /** Stored ones of the backup. */
  stored: z.number(),
  /** Kinds of destination that they lie at. */
  kinds: z.number(),
  offHost: z.boolean(),
  /** What the rule lacks, as words; empty when it holds. */
  lacks: z.array(z.string()),
});
export type DatabaseCopies = z.infer<typeof copiesSchema>;

export const databaseItemSchema = z.object({
  id: z.string(),
  name: z.string(),
  engine: z.enum(engineKinds),
  application: z.string(),
  environment: z.string(),
  protected: z.boolean(),
  pool: z.string(),
  tags: z.array(z.string()),
  owner: z.string().nullable(),
  serverVersion: z.string().nullable(),
  sizeBytes: z.number().nullable(),
  archivedAt: z.string().nullable(),
  recoverable: promiseSchema,
  /** Of the newest proven backup; null while there is none. */
  copies: copiesSchema.nullable(),
  /** Newest finished backup that is good, and newest proven one. */
  lastBackupAt: z.string().nullable(),
  lastProvenAt: z.string().nullable(),
});
export type DatabaseItem = z.infer<typeof databaseItemSchema>;

export const databaseSchema = databaseItemSchema.extend({
  note: z.string().nullable(),
  /** Without the password. */
  connection: z.record(z.string(), z.unknown()),
  hasPassword: z.boolean(),
  serverIdentity: z.string().nullable(),
  probedAt: z.string().nullable(),
  probeError: z.string().nullable(),
  preflight: preflightSchema.nullable(),
  version: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type DatabaseDto = z.infer<typeof databaseSchema>;

export const listDatabasesQuery = z.object({
  ...pageQuery,
  q: z.string().max(100).optional(),
  environment: z.string().optional(),
  application: z.string().optional(),
  engine: z.enum(engineKinds).optional(),
  tag: z.string().optional(),
  recoverable: z.enum(["ok", "warning", "problem", "unknown"]).optional(),
  archived: z.enum(["no", "yes"]).default("no"),
});

/** Of unsaved input, or of a saved database (its stored password is used where none is given). */
export const testConnectionInput = z.object({
  engine: z.enum(engineKinds),
  pool: z.string().default("default"),
  database: z.string().optional(),
  url: z.string().max(4096).optional(),
  connection: z.record(z.string(), z.unknown()).optional(),
  password: z.string().max(1024).optional(),
});
export const connectionTestSchema = z.object({
  ok: z.boolean(),
  message: z.string(),
  remedy: z.string().nullable(),
  serverVersion: z.string().nullable(),
  sizeBytes: z.number().nullable(),
  latencyMs: z.number().nullable(),
  findings: z.array(findingSchema),
});
export type ConnectionTest = z.infer<typeof connectionTestSchema>;

export const timelineItemSchema = z.object({
  at: z.string(),
  kind: z.string(),
  state: z.enum(["ok", "warning", "problem", "running", "unknown"]),
  title: z.string(),
  detail: z.string().nullable(),
  actor: z.string().nullable(),
  href: z.string().nullable(),
});
export const timelineQuery = z.object(pageQuery);
