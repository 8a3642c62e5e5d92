import { ensureLogin, migrate } from "../db/migrate.ts";
import { prepareQueues } from "../operations/prepare-queues.ts";
import type { TestPostgres } from "./postgres.ts";

const LOGIN = "holdfast";
const PASSWORD = "test-Password-2";

/** The runtime login's URL of a database on a test server. */
export function runtimeUrl(server: TestPostgres, database: string): string {
  return `postgresql://${LOGIN}:${PASSWORD}@127.0.0.1:${server.port}/${database}`;
}

/** A migrated metadata database of that name on a server of the test's own, with its queues. Returns its URLs. */
export async function prepareMetadata(
  server: TestPostgres,
  database: string,
): Promise<{ ownerUrl: string; url: string }> {
  await server.createDatabase(database);
  const [ownerUrl, url] = [server.url(database), runtimeUrl(server, database)];
  await migrate(ownerUrl);
  await ensureLogin(ownerUrl, LOGIN, PASSWORD);
  await prepareQueues(url);
  return { ownerUrl, url };
}
