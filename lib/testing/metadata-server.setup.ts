import type { TestProject } from "vitest/node";
import { startTestPostgres } from "./postgres.ts";
import { prepareMetadata, runtimeUrl } from "./prepare-metadata.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URLs with "*" in the place of the database's name. */
    metadataServer: { ownerUrl: string; runtimeUrl: string };
  }
}

/** Starts one metadata server per test run, with a migrated template database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres({ settings: { max_connections: "400" } });
  try {
    await prepareMetadata(server, "holdfast_template");
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide("metadataServer", { ownerUrl: server.url("*"), runtimeUrl: runtimeUrl(server, "*") });
  return async () => {
    await server.stop();
  };
}
