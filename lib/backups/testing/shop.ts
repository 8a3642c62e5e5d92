import type { ChildProcess } from "node:child_process";
import type { Actor, Ctx } from "../../context.ts";
import { createDatabase } from "../../databases/create-database.ts";
import { newId } from "../../ids.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { BackupInstall } from "./install.ts";
import { createBackupInstall } from "./install.ts";

export interface ShopInstall {
  install: BackupInstall;
  ctx: Ctx;
  /** Holds the database `shop`, registered as shop-production. */
  server: TestPostgres;
  worker: ChildProcess;
  cleanUp(): Promise<void>;
}

/** An install with a worker and a PostgreSQL database of two tables and 43,000 rows. */
export async function createShopInstall(): Promise<ShopInstall> {
  const [install, server] = await Promise.all([createBackupInstall(), startTestPostgres()]);
  const { ctx } = install;
  await server.createDatabase("shop");
  const client = await server.client("shop");
  await client.query("CREATE TABLE customers (id int PRIMARY KEY, name text)");
  await client.query("INSERT INTO customers SELECT g, 'name ' || g FROM generate_series(1, 3000) g");
  await client.query("CREATE TABLE orders (id int PRIMARY KEY, note text)");
  await client.query("INSERT INTO orders SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 40000) g");
  await client.end();
  const environment = "production";
  const url = server.url("shop");
  await createDatabase(ctx, { name: "shop-production", engine: "postgres", environment, url });
  const worker = await install.startWorker("one");
  const cleanUp = async () => {
    await install.cleanUp();
    await server.stop();
  };
  return { install, ctx, server, worker, cleanUp };
}

/** The same, asked for by an API token of that role. */
export function as(ctx: Ctx, role: "viewer" | "operator" | "admin"): Ctx {
  const scope = { environments: [], applications: [] };
  const actor: Actor = { kind: "token", id: newId(), name: role, role, scope };
  return { ...ctx, actor };
}
