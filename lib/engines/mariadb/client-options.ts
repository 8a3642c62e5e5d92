import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { MariadbConnection } from "../../databases/schema.ts";
import { guardedAddresses } from "../../network/guarded-lookup.ts";
import type { Access } from "../engine.ts";
import { connectError } from "./connect-errors.ts";
import { parseConnection } from "./connection.ts";
import type { Flavour } from "./flavour.ts";
import { quoteOption } from "./quote.ts";

const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];

/** How the programs reach a database: nothing of it is in their arguments or their environment. */
export interface ClientOptions {
  /** First argument of a program: it reads this file and no other one. */
  argument: string;
  /** Texts to keep out of logs. */
  secrets: string[];
}

/**
 * Writes an option file that only this user can read. The host's addresses are looked up and judged here, and the
 * program connects to the first of them; by name only where it checks that name in the certificate. Throws as
 * connecting does.
 * @param encrypted whether TLS was possible, for the mode "prefer".
 */
export async function writeClientOptions(
  flavour: Flavour,
  access: Access,
  encrypted: boolean,
  tempDir: string,
): Promise<ClientOptions> {
  const to = parseConnection(flavour, access.connection);
  const lines = ["[client]", `user=${quoteOption(to.user)}`, "default-character-set=utf8mb4"];
  if (access.password) lines.push(`password=${quoteOption(access.password)}`);
  if (to.host.startsWith("/")) {
    lines.push("protocol=socket", `socket=${quoteOption(to.host)}`);
  } else {
    const host = await judgedHost(flavour, to);
    lines.push("protocol=tcp", `host=${quoteOption(host)}`, `port=${to.port}`);
    lines.push(...(await tlsLines(flavour, to, encrypted, tempDir)));
  }
  const file = path.join(tempDir, `client-${randomBytes(6).toString("hex")}.cnf`);
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600, flag: "wx" });
  return { argument: `--defaults-file=${file}`, secrets: access.password ? [access.password] : [] };
}

async function judgedHost(flavour: Flavour, to: MariadbConnection): Promise<string> {
  try {
    const [first] = await guardedAddresses(to.host);
    return to.tls === "verify-full" || !first ? to.host : first.address;
  } catch (error) {
    throw connectError(flavour, error, to);
  }
}

async function tlsLines(
  flavour: Flavour,
  to: MariadbConnection,
  encrypted: boolean,
  tempDir: string,
): Promise<string[]> {
  const authority = await authorityFile(to, tempDir);
  const ca = authority === null ? [] : [`ssl-ca=${quoteOption(authority)}`];
  if (flavour.kind === "mysql") {
    const modes = { disable: "DISABLED", prefer: "PREFERRED", require: "REQUIRED" } as const;
    if (to.tls === "verify-ca") return ["ssl-mode=VERIFY_CA", ...ca];
    if (to.tls === "verify-full") return ["ssl-mode=VERIFY_IDENTITY", ...ca];
    // With an authority given, our own sessions check it: so does the program.
    if (to.ca !== undefined && to.tls !== "disable") return ["ssl-mode=VERIFY_CA", ...ca];
    return [`ssl-mode=${modes[to.tls]}`];
  }
  if (!encrypted || to.tls === "disable") return ["skip-ssl"];
  if (to.tls === "verify-full") return ["ssl", "ssl-verify-server-cert", ...ca];
  return ["ssl", "skip-ssl-verify-server-cert"];
}

async function authorityFile(to: MariadbConnection, tempDir: string): Promise<string | null> {
  if (to.ca !== undefined) {
    const file = path.join(tempDir, "ca.pem");
    await writeFile(file, to.ca, { mode: 0o600 });
    return file;
  }
  if (to.tls !== "verify-full" && to.tls !== "verify-ca") return null;
  return SYSTEM_BUNDLES.find((file) => existsSync(file)) ?? null;
}
