import { serverUser } from "../embedded/postgres-server.ts";
import { parseEnv } from "../env.ts";
import { HoldfastError } from "../errors.ts";
import { locateDataFolder } from "./data-folder.ts";
import { findRunning } from "./run-file.ts";

/**
 * The metadata database of the install on this host, for commands that run beside it: DATABASE_URL where it is
 * set, else what the running install wrote into its data folder. Throws `unavailable` when none is to be found.
 */
export async function findInstall(
  source: Record<string, string | undefined>,
): Promise<{ databaseUrl: string }> {
  const env = parseEnv(source);
  if (env.DATABASE_URL) return { databaseUrl: env.DATABASE_URL };
  const folder = await findDataFolder(source);
  const running = findRunning(folder);
  if (!running) {
    throw new HoldfastError("unavailable", `No Holdfast runs on this host with the data folder ${folder}.`, {
      remedy:
        "Start it with npm start, as the same user, or set HOLDFAST_DATA or DATABASE_URL to those of the install.",
    });
  }
  return { databaseUrl: running.databaseUrl };
}

/** The data folder that `npm start` uses with these settings. */
export async function findDataFolder(source: Record<string, string | undefined>): Promise<string> {
  return locateDataFolder(source.HOLDFAST_DATA || undefined, await serverUser()).path;
}
