/** Values of the registration form, and the inputs of the verbs that are made from them. */

import type { z } from "zod";
import type {
  CreateDatabaseInput,
  DatabaseDto,
  testConnectionInput,
  updateDatabaseInput,
} from "@/lib/databases/schema";

export type UpdateInput = z.input<typeof updateDatabaseInput>;
export type TestInput = z.input<typeof testConnectionInput>;
type Engine = CreateDatabaseInput["engine"];

export interface DatabaseValues extends Record<string, unknown> {
  name: string;
  engine: Engine;
  environment: string;
  application: string;
  pool: string;
  /** Separated by commas. */
  tags: string;
  owner: string;
  note: string;
  password: string;
  connection: {
    host: string;
    port: string;
    database: string;
    user: string;
    tls: string;
    ca: string;
    file: string;
  };
}

const text = (value: unknown) => (typeof value === "string" ? value : "");

/** The port that a kind of server listens on by default. */
export function portOf(engine: string): number {
  return engine === "postgres" ? 5432 : 3306;
}

export function emptyValues(environment: string): DatabaseValues {
  return {
    name: "",
    engine: "postgres",
    environment,
    application: "",
    pool: "default",
    tags: "",
    owner: "",
    note: "",
    password: "",
    connection: { host: "", port: "5432", database: "", user: "", tls: "prefer", ca: "", file: "" },
  };
}

export function valuesOf(database: DatabaseDto): DatabaseValues {
  const { connection } = database;
  return {
    name: database.name,
    engine: database.engine,
    environment: database.environment,
    application: database.application,
    pool: database.pool,
    tags: database.tags.join(", "),
    owner: database.owner ?? "",
    note: database.note ?? "",
    password: "",
    connection: {
      host: text(connection.host),
      port: String(connection.port ?? portOf(database.engine)),
      database: text(connection.database),
      user: text(connection.user),
      tls: text(connection.tls) || "prefer",
      ca: text(connection.ca),
      file: text(connection.file),
    },
  };
}

function tagsOf(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter(Boolean);
}

/** Only the parts that the engine has. */
export function connectionOf({ engine, connection }: DatabaseValues): Record<string, unknown> {
  if (engine === "sqlite") return { file: connection.file.trim() };
  const { host, port, database, user, tls, ca } = connection;
  return {
    host: host.trim(),
    port: Number(port),
    database: database.trim(),
    user: user.trim(),
    tls,
    ...(ca.trim() ? { ca: ca.trim() } : {}),
  };
}

export function createInputOf(values: DatabaseValues): CreateDatabaseInput {
  return {
    name: values.name.trim(),
    engine: values.engine,
    environment: values.environment,
    pool: values.pool.trim() || "default",
    tags: tagsOf(values.tags),
    connection: connectionOf(values),
    ...(values.application.trim() ? { application: values.application.trim() } : {}),
    ...(values.owner.trim() ? { owner: values.owner.trim() } : {}),
    ...(values.note.trim() ? { note: values.note.trim() } : {}),
    ...(values.password ? { password: values.password } : {}),
  };
}

/** `version` is the one that was edited. */
export function updateInputOf(values: DatabaseValues, version: number): UpdateInput {
  const { engine: _engine, ...created } = createInputOf(values);
  return { ...created, version, owner: values.owner.trim() || null, note: values.note.trim() || null };
}

export function testInputOf(values: DatabaseValues, saved: string | undefined): TestInput {
  return {
    engine: values.engine,
    pool: values.pool.trim() || "default",
    connection: connectionOf(values),
    ...(values.password ? { password: values.password } : {}),
    ...(saved ? { database: saved } : {}),
  };
}
