import { randomBytes } from "node:crypto";
import { ensureLogin, migrate } from "../db/migrate.ts";
import type { ServerUser } from "../embedded/postgres-server.ts";
import type { Env } from "../env.ts";
import type { Embedded } from "./embedded.ts";
import { closeDatabase, startEmbedded } from "./embedded.ts";
import type { LogFile } from "./log-file.ts";

/** Login of web and worker on the embedded server; it owns nothing. */
const APP_LOGIN = "holdfast_app";

export interface Metadata {
  /** For web and worker. */
  databaseUrl: string;
  /** For migrations. */
  ownerUrl: string;
  /** Null when DATABASE_URL names a server of the user's. */
  embedded: Embedded | null;
  stop(force: boolean): Promise<void>;
}

/** The metadata server: the user's own, or the embedded one, started here. */
export async function startMetadata(
  env: Env,
  options: { user: ServerUser | null; say: (line: string) => void; log: LogFile },
): Promise<Metadata> {
  if (env.DATABASE_URL) {
    return {
      databaseUrl: env.DATABASE_URL,
      ownerUrl: env.HOLDFAST_OWNER_DATABASE_URL ?? env.DATABASE_URL,
      embedded: null,
      stop: async () => undefined,
    };
  }
  const embedded = await startEmbedded({ dataFolder: env.HOLDFAST_DATA, ...options });
  try {
    // The runtime role that the login takes on comes with the migrations.
    await migrate(embedded.ownerUrl);
    // New at each start: nothing that has seen an old one can still sign in.
    const password = randomBytes(24).toString("base64url");
    await ensureLogin(embedded.ownerUrl, APP_LOGIN, password);
    await closeDatabase(embedded.ownerUrl, APP_LOGIN);
    const databaseUrl = embedded.url(APP_LOGIN, password);
    return { databaseUrl, ownerUrl: embedded.ownerUrl, embedded, stop: (force) => embedded.stop(force) };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}
