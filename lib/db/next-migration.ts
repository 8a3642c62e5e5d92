import { migrationsList, datamodels as ownModels } from "./migrate.ts";
import { FILTERS, openSchemaEngine } from "./schema-engine.ts";

/**
 * The SQL that leads from what the migrations make to what `prisma/schema` describes; a comment alone when there is
 * nothing to do. `serverUrl` is a superuser's on a throwaway server: the migrations are run in a database of their
 * own there. `datamodels` stand in for the files of `prisma/schema`.
 */
export async function nextMigration(serverUrl: string, datamodels?: [string, string][]): Promise<string> {
  const models = datamodels ?? (await ownModels());
  const { engine, close } = await openSchemaEngine(serverUrl, models);
  try {
    const list = await migrationsList();
    const { stdout } = await engine.diff({
      from: list.migrationDirectories.length === 0 ? { tag: "empty" } : { tag: "migrations", ...list },
      to: { tag: "schemaDatamodel", files: models.map(([file, content]) => ({ path: file, content })) },
      script: true,
      exitCode: null,
      filters: FILTERS,
      shadowDatabaseUrl: null,
    });
    return stdout ?? "";
  } finally {
    await close();
  }
}
