import type { TestProject } from "vitest/node";
import { ensureLogin, migrate } from "../db/migrate.ts";
import { prepareQueues } from "../operations/prepare-queues.ts";
import type { TestPostgres } from "./postgres.ts";
import { startTestPostgres } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URLs with "*" in the place of the database's name. */
    metadataServer: { ownerUrl: string; runtimeUrl: string };
  }
}

const LOGIN = "holdfast";
const PASSWORD = "test-Password-2";

async function prepareTemplate(server: TestPostgres): Promise<void> {
  await server.createDatabase("holdfast_template");
  const ownerUrl = server.url("holdfast_template");
  await migrate(ownerUrl);
  await ensureLogin(ownerUrl, LOGIN, PASSWORD);
  await prepareQueues(`postgresql://${LOGIN}:${PASSWORD}@127.0.0.1:${server.port}/holdfast_template`);
}

/** Starts one metadata server per test run, with a migrated template database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres({ settings: { max_connections: "400" } });
  try {
    await prepareTemplate(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const runtimeUrl = `postgresql://${LOGIN}:${PASSWORD}@127.0.0.1:${server.port}/*`;
  project.provide("metadataServer", { ownerUrl: server.url("*"), runtimeUrl });
  return async () => {
    await server.stop();
  };
}
