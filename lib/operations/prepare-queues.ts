import { PgBoss } from "pg-boss";
import { RUNTIME_ROLE } from "../db/client.ts";

/**
 * Lets pg-boss make or migrate its own schema, once per start and before web and worker; they run with
 * `migrate: false`.
 */
export async function prepareQueues(connectionString: string): Promise<void> {
  const boss = new PgBoss({
    connectionString,
    options: `-c role=${RUNTIME_ROLE}`,
    schema: "pgboss",
    createSchema: false,
    migrate: true,
    supervise: false,
    schedule: false,
  } as ConstructorParameters<typeof PgBoss>[0]);
  await boss.start();
  await boss.stop({ graceful: false });
}
