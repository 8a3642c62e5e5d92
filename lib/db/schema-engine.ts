import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import { schemaAdapter } from "./schema-adapter.ts";

export interface MigrationsList {
  baseDir: string;
  lockfile: { path: string; content: string | null };
  shadowDbInitScript: string;
  migrationDirectories: {
    path: string;
    migrationFile: { path: string; content: { tag: "ok"; value: string } };
  }[];
}

interface Filters {
  externalTables: string[];
  externalEnums: string[];
}

/** The calls of Prisma's schema engine that we use (engine of Prisma 7.10). */
interface SchemaEngine {
  diff(params: {
    from: { tag: "empty" } | ({ tag: "migrations" } & MigrationsList);
    to: { tag: "schemaDatamodel"; files: { path: string; content: string }[] };
    script: boolean;
    exitCode: null;
    filters: Filters;
    shadowDatabaseUrl: null;
  }): Promise<{ stdout: string | null }>;
  applyMigrations(params: {
    migrationsList: MigrationsList;
    filters: Filters;
  }): Promise<{ appliedMigrationNames: string[] }>;
}

/** The engine and the end of its connections. */
export interface OpenSchemaEngine {
  engine: SchemaEngine;
  close(): Promise<void>;
}

interface Glue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void;
  SchemaEngine: {
    new: (
      input: { datamodels: [string, string][] },
      log: (line: string) => void,
      factory: unknown,
    ) => Promise<SchemaEngine>;
  };
}

/** What the engine must not see as ours. */
export const FILTERS: Filters = { externalTables: [], externalEnums: [] };

let loaded: Promise<Glue> | undefined;

/**
 * Prisma's schema engine as WebAssembly, so that no binary is downloaded at any time. The package has no
 * loader for Node of its own: the module is instantiated here with its own glue, once per process, because the glue
 * keeps views into the memory of the instance it saw first.
 */
async function loadGlue(): Promise<Glue> {
  const require = createRequire(import.meta.url);
  const name = ["@prisma/schema-engine-wasm", "schema_engine_bg"].join("/");
  const glue = (await import(name)) as Glue;
  const bytes = await readFile(require.resolve(name).replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, {
    "./schema_engine_bg.js": withoutLingeringTimers(glue as unknown as WebAssembly.ModuleImports),
  });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return glue;
}

/** A schema engine on one database; several may be open in a process. */
export async function openSchemaEngine(
  connectionString: string,
  datamodels: [string, string][],
): Promise<OpenSchemaEngine> {
  loaded ??= loadGlue();
  const glue = await loaded;
  const { factory, close } = schemaAdapter(connectionString);
  const bound = bindMigrationAwareSqlAdapterFactory(factory);
  const engine = await glue.SchemaEngine.new({ datamodels }, () => undefined, bound);
  return { engine, close };
}

/** The engine's 10 s lock time-out is never cleared and would hold the process open; unref'd, it does not. */
function withoutLingeringTimers(glue: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
  const imports = { ...glue };
  for (const [name, call] of Object.entries(glue)) {
    if (!name.startsWith("__wbg_setTimeout") || typeof call !== "function") continue;
    imports[name] = (...args: unknown[]) => {
      const { setTimeout: original } = globalThis;
      const unrefd = (run: () => void, ms?: number) => original(run, ms).unref();
      globalThis.setTimeout = Object.assign(unrefd, original) as unknown as typeof setTimeout;
      try {
        return (call as (...inner: unknown[]) => unknown)(...args);
      } finally {
        globalThis.setTimeout = original;
      }
    };
  }
  return imports;
}
