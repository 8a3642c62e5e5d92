/** What MariaDB and MySQL do differently. Nothing else in this folder asks which of the two it is. */
export interface Flavour {
  kind: "mariadb" | "mysql";
  /** "MariaDB" */
  label: string;
  /** Client programs, by what they do; the first one found is used. */
  programs: { dump: string[]; client: string[] };
  /** Package that has them on Debian and Ubuntu. */
  clientPackage: string;
  server: { names: string[]; package: string };
  /** Arguments of the dump program that the other one does not know. */
  dumpArgs: readonly string[];
  /** Arguments of the client program that the other one does not know. */
  clientArgs: readonly string[];
  /** CREATE SEQUENCE, packages and system versioning. */
  sequences: boolean;
  /** Statements that limit the next statements' time, in milliseconds; 0 for no limit. */
  statementLimit(ms: number): string;
  /** Error numbers of a statement that took too long. */
  statementTimeouts: readonly number[];
  /** Whether the client programs can check the certificate's authority without its name. */
  verifiesAuthorityAlone: boolean;
  /** Expression of a number that only this server has, whatever its address. */
  identity: string;
  /** Column of mysql.user, or a constant, that is 'Y' for a role. */
  roleColumn: string;
  /** Global privileges of which one lets a user set another account as DEFINER. */
  setsDefiner: readonly string[];
}

export const MARIADB: Flavour = {
  kind: "mariadb",
  label: "MariaDB",
  programs: { dump: ["mariadb-dump", "mysqldump"], client: ["mariadb", "mysql"] },
  clientPackage: "mariadb-client",
  server: { names: ["mariadbd", "mysqld"], package: "mariadb-server-core" },
  dumpArgs: ["--max-statement-time=0"],
  clientArgs: ["--abort-source-on-error"],
  sequences: true,
  statementLimit: (ms) => `SET SESSION max_statement_time = ${ms / 1000}`,
  statementTimeouts: [1969],
  verifiesAuthorityAlone: false,
  identity: "@@server_uid",
  roleColumn: "is_role",
  setsDefiner: ["SUPER", "SET USER"],
};

/** Written to its manual; the releases that it was run against are in docs/engines/mariadb.md. */
export const MYSQL: Flavour = {
  kind: "mysql",
  label: "MySQL",
  programs: { dump: ["mysqldump"], client: ["mysql"] },
  clientPackage: "mysql-client",
  server: { names: ["mysqld"], package: "mysql-server-core-8.0" },
  dumpArgs: ["--set-gtid-purged=OFF", "--column-statistics=0"],
  clientArgs: [],
  sequences: false,
  statementLimit: (ms) => `SET SESSION max_execution_time = ${Math.ceil(ms)}`,
  statementTimeouts: [3024],
  verifiesAuthorityAlone: true,
  identity: "@@server_uuid",
  roleColumn: "'N'",
  setsDefiner: ["SUPER", "SET_USER_ID", "SET_ANY_DEFINER"],
};

/** "10.11.19-MariaDB-0+deb12u1" → MariaDB's. */
export function flavourOf(version: string): Flavour {
  return /mariadb/i.test(version) ? MARIADB : MYSQL;
}
