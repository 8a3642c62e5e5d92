import { Client } from "pg";

export interface PageLoad {
  databases: number;
  backups: number;
  operations: number;
}

/**
 * Fills a metadata database with a year of history, evenly over the databases: backups with a copy and a proof each
 * (1 in 50 failed its proof), operations in their final state. Seeded by arithmetic, so that every run is the same.
 */
export async function seedPages(ownerUrl: string, load: PageLoad): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  const uuid = (kind: number, n: string) =>
    `('0${kind}000000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
  try {
    await client.query("SET synchronous_commit = off");
    await client.query(
      `INSERT INTO database (id, name, engine, application, environment_id, connection, server_identity, server_version,
         size_bytes, updated_at)
       SELECT ${uuid(1, "n")}, 'app' || (n / 3) || '-' || e.name, 'postgres', 'app' || (n / 3), e.id,
         '{"host":"db.internal","port":5432,"database":"app","user":"backup","tls":"require"}', 's' || (n / 20), '16.4',
         1e9 + n * 1e6, now()
       FROM generate_series(0, $1 - 1) n
       JOIN (SELECT id, name, row_number() OVER (ORDER BY position) - 1 AS at FROM environment) e ON e.at = n % 3`,
      [load.databases],
    );
    await client.query(
      `INSERT INTO operation (id, root_id, kind, state, reason, title, pool, payload, actor_kind, actor_name, trigger,
         database_id, backup_id, attempt, created_at, started_at, finished_at)
       SELECT ${uuid(2, "n")}, ${uuid(2, "n")}, CASE n % 2 WHEN 0 THEN 'backup.run' ELSE 'backup.verify' END,
         CASE WHEN n % 200 = 0 THEN 'failed' ELSE 'succeeded' END::"OperationState", 'done', 'Back up a database', 'default',
         '{}', 'schedule', 'nightly', 'schedule', ${uuid(1, "(n % $2)")}, NULL, 1, t, t, t + interval '40 s'
       FROM (SELECT n, now() - (n * 365.0 * 86400 / $1) * interval '1 s' - interval '1 h' AS t
             FROM generate_series(0, $1 - 1) n) x`,
      [load.operations, load.databases],
    );
    await client.query(
      `INSERT INTO backup (id, database_id, operation_id, state, trigger, path, size_bytes, plain_bytes, table_count,
         row_count, dump_seconds, created_at, started_at, finished_at, proof_level, proof_verdict, proof_reason, proven_at,
         restore_seconds)
       SELECT ${uuid(3, "n")}, ${uuid(1, "(n % $2)")}, ${uuid(2, "n")},
         CASE WHEN n % 300 = 0 THEN 'failed' ELSE 'complete' END::"BackupState", 'schedule', 'p/' || n, 1e8, 1e9, 48, 1e6, 40,
         t, t, t + interval '40 s', 'restored', CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'proven' END::"ProofVerdict",
         'every table equal', CASE WHEN n % 50 = 0 THEN NULL ELSE t + interval '80 s' END, 42
       FROM (SELECT n, now() - (n * 365.0 * 86400 / $1) * interval '1 s' - interval '1 h' AS t
             FROM generate_series(0, $1 - 1) n) x`,
      [load.backups, load.databases],
    );
    await client.query(
      `INSERT INTO copy (id, backup_id, destination_id, state, path, size_bytes, checked_at)
       SELECT ${uuid(4, "n")}, ${uuid(3, "n")}, (SELECT id FROM destination LIMIT 1), 'stored', 'p/' || n, 1e8, now()
       FROM generate_series(0, $1 - 1) n`,
      [load.backups],
    );
    await client.query("ANALYZE");
  } finally {
    await client.end();
  }
}
