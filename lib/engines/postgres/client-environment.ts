import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { PostgresConnection } from "../../databases/schema.ts";
import { guardedAddresses } from "../../network/guarded-lookup.ts";
import type { Access } from "../engine.ts";
import { connectError } from "./connect-errors.ts";
import { parseConnection } from "./connection.ts";

const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];

/** What PostgreSQL's own programs need to reach a database: nothing of it is in their arguments. */
export interface ClientEnvironment {
  env: Record<string, string>;
  /** Texts to keep out of logs. */
  secrets: string[];
}

/**
 * Environment variables of libpq (PostgreSQL manual, "Environment Variables"). The host's addresses are looked up
 * and judged here; libpq connects to those, and checks the certificate against the name. Throws as connecting does.
 */
export async function clientEnvironment(
  access: Access,
  options: { tempDir: string; applicationName: string },
): Promise<ClientEnvironment> {
  const to = parseConnection(access.connection);
  const env: Record<string, string> = {
    ...(await hostAndAddresses(to)),
    PGPORT: String(to.port),
    PGUSER: to.user,
    PGDATABASE: to.database,
    PGAPPNAME: options.applicationName.slice(0, 63),
    PGCONNECT_TIMEOUT: "30",
    PGSSLMODE: to.host.startsWith("/") ? "disable" : to.tls,
    PGGSSENCMODE: "disable",
    // A password file of whoever runs this has no say.
    PGPASSFILE: "/dev/null",
  };
  if (access.password !== undefined && access.password !== "") env.PGPASSWORD = access.password;
  if (to.ca !== undefined) {
    const file = path.join(options.tempDir, "ca.pem");
    await writeFile(file, to.ca, { mode: 0o600 });
    env.PGSSLROOTCERT = file;
  } else if (to.tls === "verify-full" || to.tls === "verify-ca") {
    const bundle = SYSTEM_BUNDLES.find((file) => existsSync(file));
    if (bundle) env.PGSSLROOTCERT = bundle;
  }
  return { env, secrets: access.password ? [access.password] : [] };
}

/** libpq takes a list of addresses with a list of names of the same length, and tries one after the other. */
async function hostAndAddresses(to: PostgresConnection): Promise<Record<string, string>> {
  if (to.host.startsWith("/")) return { PGHOST: to.host };
  try {
    const addresses = (await guardedAddresses(to.host)).map(({ address }) => address);
    return { PGHOST: addresses.map(() => to.host).join(","), PGHOSTADDR: addresses.join(",") };
  } catch (error) {
    throw connectError(error, to);
  }
}
