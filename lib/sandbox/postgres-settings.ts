import { existsSync } from "node:fs";
import path from "node:path";
import type { ServerBinaries } from "./binaries.ts";

const MIB = 1024 ** 2;

/** Most WAL that a sandbox keeps for data of that size; more only costs disk, since nothing of it is synced. */
export function walBytes(budgetBytes: number): number {
  return Math.max(128 * MIB, Math.min(1024 * MIB, Math.floor(budgetBytes / 2)));
}

/** Disk that a sandbox may take in all: the data, its WAL, and a server with nothing in it. */
export function totalBudget(budgetBytes: number): number {
  return budgetBytes + walBytes(budgetBytes) + 128 * MIB;
}

/** Extensions whose library must be loaded at the server's start. These two want to be the first. */
const PRELOADED = [
  "citus",
  "timescaledb",
  "pg_stat_statements",
  "pg_cron",
  "pgaudit",
  "pglogical",
  "pg_stat_kcache",
  "pg_qualstats",
  "pg_wait_sampling",
  "pg_stat_monitor",
  "pg_net",
  "pg_tle",
  "pgsodium",
  "set_user",
];

/** Of the extensions, the libraries that need loading at the start and are there. */
export function preloadLibraries(server: ServerBinaries, extensions: readonly string[]): string[] {
  const { libraryDir } = server;
  if (libraryDir === null) return [];
  const there = (name: string) =>
    [".so", ".dylib"].some((suffix) => existsSync(path.join(libraryDir, name + suffix)));
  return PRELOADED.filter((name) => extensions.includes(name) && there(name));
}

export interface SettingsRequest {
  databaseName: string;
  preload: readonly string[];
  socketDir: string;
  clusterName: string;
  budgetBytes: number;
}

/**
 * Settings of a throwaway server: no durability, no network, no background work, no restart after a crash, room
 * for the locks of many thousand tables. Values as in the PostgreSQL manual, chapter "Server Configuration".
 */
export function sandboxSettings(request: SettingsRequest): Record<string, string> {
  const settings: Record<string, string> = {
    listen_addresses: "",
    unix_socket_directories: request.socketDir,
    unix_socket_permissions: "0700",
    port: "5432",
    cluster_name: request.clusterName,
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    // No WAL for what is loaded into a table made in the same transaction.
    wal_level: "minimal",
    max_wal_senders: "0",
    max_wal_size: `${Math.floor(walBytes(request.budgetBytes) / MIB)}MB`,
    checkpoint_timeout: "30min",
    autovacuum: "off",
    jit: "off",
    restart_after_crash: "off",
    shared_buffers: "128MB",
    maintenance_work_mem: "128MB",
    work_mem: "16MB",
    max_connections: "40",
    max_locks_per_transaction: "2048",
    shared_preload_libraries: request.preload.join(","),
    timezone: "UTC",
    lc_messages: "C",
    log_timezone: "UTC",
    logging_collector: "off",
    // Rows of the database have no place in a log.
    log_min_error_statement: "panic",
    log_min_messages: "fatal",
  };
  if (request.preload.includes("pg_cron")) {
    settings["cron.database_name"] = request.databaseName;
    settings["cron.launch_active_jobs"] = "off";
  }
  if (request.preload.includes("timescaledb")) settings["timescaledb.telemetry_level"] = "off";
  return settings;
}
