import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { expect, vi } from "vitest";
import type { TestInstall } from "../../lib/testing/install.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { WITHIN } from "./install.ts";

/** An install, and the workers of it that may be there. */
type Place = Pick<TestInstall, "ctx" | "root" | "temp"> & { workers: readonly { pid: number }[] };

/**
 * Everything that work which has ended may leave behind, one line each: processes of this install but its own
 * workers, temporary folders and sandboxes, stored objects that belong to no good backup, our sessions and
 * unknown databases on the sources, and claims in the ledger.
 */
export async function leftovers(
  install: Place,
  server: TestPostgres,
  databases: readonly string[] = [],
): Promise<string[]> {
  return [
    ...(await processes(install)),
    ...(await temporary(install.temp)),
    ...(await objects(install)),
    ...(await sessions(server)),
    ...(await unknownDatabases(server, databases)),
    ...(await claims(install)),
  ];
}

/** Waits for the clean-up that follows a lost worker; `known` are databases that may be there. */
export async function nothingLeft(
  install: Place,
  server: TestPostgres,
  known: readonly string[] = [],
): Promise<void> {
  await vi.waitFor(async () => expect(await leftovers(install, server, known)).toEqual([]), WITHIN);
}

/** By the install's folder: in the command line, working directory, environment, or what a sandbox has mounted. */
export async function processes(install: Place): Promise<string[]> {
  const mark = path.basename(install.root);
  const own = new Set([process.pid, ...install.workers.map(({ pid }) => pid)]);
  const ourMounts = await readlink("/proc/self/ns/mnt").catch(() => "");
  const found: string[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || own.has(Number(name))) continue;
    const read = (file: string) => readFile(`/proc/${name}/${file}`, "latin1").catch(() => "");
    const command = (await read("cmdline")).replaceAll("\0", " ");
    const mounts = await readlink(`/proc/${name}/ns/mnt`).catch(() => ourMounts);
    const texts = [
      command,
      await readlink(`/proc/${name}/cwd`).catch(() => ""),
      await read("environ"),
      mounts === ourMounts ? "" : await read("mountinfo"),
    ];
    if (texts.some((text) => text.includes(mark))) found.push(`process ${name}: ${command.slice(0, 120)}`);
  }
  return found;
}

async function temporary(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    // The folder that sandboxes are made in stays; what is in it must not.
    const inside = name.startsWith("holdfast-boxes-") ? await readdir(path.join(folder, name)) : [""];
    found.push(...inside.map((one) => `temporary ${path.join(name, one)}`));
  }
  return found;
}

/** What lies at the local destinations, without what good backups hold there. */
async function objects({ ctx }: Place): Promise<string[]> {
  const good = await ctx.db.copy.findMany({
    where: {
      state: { in: ["stored", "altered", "missing"] },
      backup: { state: { in: ["complete", "partial"] } },
    },
  });
  const found: string[] = [];
  for (const { id, config, name } of await ctx.db.destination.findMany()) {
    const folder = (config as { folder: string }).folder;
    const whole = good.filter((copy) => copy.destinationId === id).map((copy) => `${copy.path}/`);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const file = path.relative(folder, path.join(entry.parentPath, entry.name));
      if (entry.isDirectory() || file === ".holdfast-destination.json") continue;
      if (whole.some((one) => file.startsWith(one)) && !file.endsWith(".part")) continue;
      // Made by every file system of its kind.
      if (file.startsWith("lost+found")) continue;
      found.push(`object ${name}: ${file}`);
    }
  }
  return found;
}

async function sessions(server: TestPostgres): Promise<string[]> {
  const client = await server.client();
  try {
    const { rows } = await client.query<{ text: string }>(
      `SELECT datname || ', ' || application_name || ': ' || left(query, 80) AS text FROM pg_stat_activity
       WHERE application_name LIKE 'holdfast%'`,
    );
    return rows.map(({ text }) => `session in ${text}`);
  } finally {
    await client.end();
  }
}

async function unknownDatabases(server: TestPostgres, known: readonly string[]): Promise<string[]> {
  const client = await server.client();
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' AND datname <> ALL ($1)",
      [known],
    );
    return rows.map(({ name }) => `database ${name}`);
  } finally {
    await client.end();
  }
}

async function claims({ ctx: { db } }: Place): Promise<string[]> {
  const active = await db.operation.findMany({
    where: { state: { in: ["running", "cancelling", "queued"] } },
  });
  const slots = await db.slot.findMany();
  const cleanUps = await db.operationCleanUp.findMany();
  return [
    ...active.map(({ title, state, reason }) => `operation ${title}: ${state}, ${reason}`),
    ...slots.map(({ key }) => `slot ${key}`),
    ...cleanUps.map(({ operationId, tries }) => `clean-up of ${operationId}, ${tries} tries`),
  ];
}
