import type { Ctx } from "../context.ts";
import { unarchiveDatabase } from "../databases/archive-database.ts";
import { createDatabase } from "../databases/create-database.ts";
import type { CreateDatabaseInput } from "../databases/schema.ts";
import { updateDatabase } from "../databases/update-database.ts";
import { HoldfastError } from "../errors.ts";
import { KIOSK, SHOPS } from "./sample.ts";
import { SHOP_LOGIN } from "./seed-shop.ts";

const COMMON = {
  tags: ["demo"],
  owner: "Sample company",
  note: "Made by npm start -- --demo; npm run demo:reset puts it back.",
};

/**
 * Registers the sample databases, or brings the registrations of an earlier demo (`known`: id per name) up to
 * date. Throws `conflict` when a name belongs to a database of the user's. Returns the ids.
 */
export async function registerSample(
  ctx: Ctx,
  options: {
    socketDir: string;
    port: number;
    password: string;
    kioskFile: string;
    known: Record<string, string>;
  },
): Promise<Record<string, string>> {
  const { socketDir: host, port, password } = options;
  const ids: Record<string, string> = {};
  for (const { name, environment, database } of SHOPS) {
    const connection = { host, port, database, user: SHOP_LOGIN, tls: "disable" };
    const input = { name, engine: "postgres" as const, environment, connection, password, ...COMMON };
    ids[name] = await registerOne(ctx, input, options.known[name]);
  }
  const { name, environment } = KIOSK;
  const connection = { file: options.kioskFile };
  const input = { name, engine: "sqlite" as const, environment, connection, ...COMMON };
  ids[name] = await registerOne(ctx, input, options.known[name]);
  return ids;
}

async function registerOne(ctx: Ctx, input: CreateDatabaseInput, known: string | undefined): Promise<string> {
  const found = await ctx.db.database.findUnique({ where: { name: input.name } });
  if (!found) return (await createDatabase(ctx, input)).id;
  if (found.id !== known) {
    throw new HoldfastError(
      "conflict",
      `The name ${input.name} belongs to a database that is not the demo's.`,
      {
        remedy: "Rename that one, then run: npm run demo:reset",
      },
    );
  }
  if (found.archivedAt) await unarchiveDatabase(ctx, found.id);
  const { version } = await ctx.db.database.findUniqueOrThrow({ where: { id: found.id } });
  const { connection, password } = input;
  await updateDatabase(ctx, found.id, {
    version,
    ...COMMON,
    ...(connection ? { connection } : {}),
    ...(password === undefined ? {} : { password }),
  });
  return found.id;
}
