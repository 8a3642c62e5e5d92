import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { ROOT } from "../root.ts";

const SEED = path.join(ROOT, "prisma/seed");

/** Login that the sample databases are registered with. */
export const SHOP_LOGIN = "shop_holdfast";

export interface ShopDatabase {
  /** On the server. */
  database: string;
  /** Size: about 25 rows in all per customer. */
  customers: number;
}

/** The same server, another database. */
export function inDatabase(ownerUrl: string, database: string): string {
  const url = new URL(ownerUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/**
 * Makes the sample databases anew on the server of `ownerUrl` (a superuser's), dropping what had their names.
 * Returns the new password of SHOP_LOGIN. Takes about ten seconds for 16,000 customers.
 */
export async function seedShops(ownerUrl: string, shops: readonly ShopDatabase[]): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await withClient(ownerUrl, async (client) => {
    await client.query(await readFile(path.join(SEED, "shop-roles.sql"), "utf8"));
    await client.query(`ALTER ROLE ${SHOP_LOGIN} PASSWORD ${client.escapeLiteral(password)}`);
    for (const { database } of shops) {
      const name = client.escapeIdentifier(database);
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await client.query(`CREATE DATABASE ${name} OWNER shop_owner`);
      await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      await client.query(`GRANT CONNECT ON DATABASE ${name} TO shop_app, shop_reporting`);
    }
  });
  await Promise.all(shops.map((shop) => fill(ownerUrl, shop)));
  return password;
}

async function fill(ownerUrl: string, { database, customers }: ShopDatabase): Promise<void> {
  await withClient(inDatabase(ownerUrl, database), async (client) => {
    await client.query(await readFile(path.join(SEED, "shop-schema.sql"), "utf8"));
    await client.query("SELECT set_config('seed.customers', $1, false)", [String(customers)]);
    await client.query(await readFile(path.join(SEED, "shop-data.sql"), "utf8"));
  });
}

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString, application_name: "holdfast demo" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
