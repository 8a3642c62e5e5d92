import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";
import type { Db } from "../db/client.ts";
import { openDb } from "../db/client.ts";

export interface TestDb {
  db: Db;
  /** Runtime login: what web and worker use. */
  url: string;
  /** Owner of the schema, superuser. */
  ownerUrl: string;
  drop(): Promise<void>;
}

/** An own, migrated metadata database on the run's shared server; a copy of a template, so it takes 0.1 s. */
export async function createTestDb(): Promise<TestDb> {
  const server = inject("metadataServer");
  const name = `t_${randomBytes(6).toString("hex")}`;
  const admin = new Client({ connectionString: server.ownerUrl.replace("/*", "/postgres") });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE holdfast_template`);
  await admin.end();
  const url = server.runtimeUrl.replace("/*", `/${name}`);
  const db = openDb(url, { max: 5, applicationName: "test" });
  return {
    db,
    url,
    ownerUrl: server.ownerUrl.replace("/*", `/${name}`),
    async drop() {
      await db.$disconnect();
      const client = new Client({ connectionString: server.ownerUrl.replace("/*", "/postgres") });
      await client.connect();
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await client.end();
    },
  };
}
