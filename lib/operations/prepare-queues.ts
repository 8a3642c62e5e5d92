import { PgBoss } from "pg-boss";
import { RUNTIME_ROLE } from "../db/client.ts";
import { BOSS_SCHEMA } from "./dispatch.ts";

/**
 * Lets pg-boss make or migrate its own schema, once per start and before web and worker; they run with
 * `migrate: false`. Safe to call from several processes at once.
 */
export async function prepareQueues(connectionString: string): Promise<void> {
  const boss = new PgBoss({
    connectionString,
    options: `-c role=${RUNTIME_ROLE}`,
    schema: BOSS_SCHEMA,
    createSchema: false,
    migrate: true,
    supervise: false,
    schedule: false,
    max: 2,
  });
  const failures: unknown[] = [];
  boss.on("error", (error) => failures.push(error));
  await boss.start();
  await boss.stop({ graceful: false });
  if (failures.length > 0) throw failures[0];
}
