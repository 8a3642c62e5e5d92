const LABELS: Record<string, string> = {
  postgres: "PostgreSQL",
  mariadb: "MariaDB",
  mysql: "MySQL",
  sqlite: "SQLite",
};

/** "PostgreSQL 15", "SQLite": the name of an engine with the version as far as it matters. */
export function engineLabel(engine: string, version?: string | null): string {
  const label = LABELS[engine] ?? engine;
  const major = version?.match(/\d+(\.\d+)?/)?.[0];
  if (!major) return label;
  return `${label} ${engine === "postgres" ? major.split(".")[0] : major}`;
}
