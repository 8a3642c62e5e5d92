import { randomUUID } from "node:crypto";
import { PrismaPg } from "@prisma/adapter-pg";
import type { QueryArrayResult } from "pg";

type Adapter = Awaited<ReturnType<PrismaPg["connect"]>>;

/** Prisma's adapter as its schema engine needs it, and the end of the connections it made. */
export interface SchemaAdapter {
  factory: PrismaPg;
  close(): Promise<void>;
}

/** An adapter on one database; a shadow database is made beside it and dropped by `close`, or by the engine before. */
export function schemaAdapter(connectionString: string): SchemaAdapter {
  const opened: Adapter[] = [];
  const factory = new PrismaPg({ connectionString });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    takeScriptsWhole(adapter);
    readChars(adapter);
    onDispose(adapter, async () => undefined);
    opened.push(adapter);
    return adapter;
  };
  factory.connectToShadowDb = async () => {
    const shadow = await connectToShadow(await factory.connect(), connectionString);
    opened.push(shadow);
    return shadow;
  };
  return {
    factory,
    async close() {
      // The last first: a shadow database is dropped through the connection that made it.
      for (const adapter of opened.reverse()) await adapter.dispose();
    },
  };
}

/** The adapter's own way takes the name from the connection string, and so migrates the database it stands in. */
async function connectToShadow(outer: Adapter, connectionString: string): Promise<Adapter> {
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  await outer.executeScript(`CREATE DATABASE "${name}"`);
  const url = new URL(connectionString);
  url.pathname = `/${name}`;
  const shadow = await new PrismaPg({ connectionString: url.href }).connect();
  takeScriptsWhole(shadow);
  readChars(shadow);
  onDispose(shadow, () => outer.executeScript(`DROP DATABASE "${name}"`));
  return shadow;
}

/** The adapter cuts scripts at every ";", which breaks function bodies; the server takes a script whole. */
function takeScriptsWhole(adapter: Adapter): void {
  adapter.executeScript = async (script) => {
    await adapter.underlyingDriver().query(script);
  };
}

/** OIDs of "char", which the catalogue's kinds are of and the adapter does not know, and of char(n). */
const CHAR = 18;
const BPCHAR = 1042;

/** The engine describes a schema from the catalogue, whose one-letter kinds the adapter would refuse. */
function readChars(adapter: Adapter): void {
  const pool = adapter.underlyingDriver();
  const query = pool.query.bind(pool) as (config: unknown) => Promise<QueryArrayResult>;
  pool.query = (async (config: unknown) => {
    const result = await query(config);
    for (const field of result.fields ?? []) if (field.dataTypeID === CHAR) field.dataTypeID = BPCHAR;
    return result;
  }) as unknown as typeof pool.query;
}

/** Both the engine and we may end an adapter: it ends once. */
function onDispose(adapter: Adapter, afterwards: () => Promise<void>): void {
  const dispose = adapter.dispose.bind(adapter);
  let disposed: Promise<void> | undefined;
  adapter.dispose = () => {
    disposed ??= dispose().then(afterwards);
    return disposed;
  };
}
