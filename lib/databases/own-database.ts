import type { Engine, ServerInfo } from "../engines/engine.ts";
import { HoldfastError } from "../errors.ts";

export function ownDatabaseRefusal(): HoldfastError {
  return new HoldfastError("refused", "This is Holdfast's own database.", {
    remedy: "Register the databases that your teams run; Holdfast's own is not one of them.",
    fields: { connection: "Holdfast's own database" },
  });
}

/** Whether a connection plainly names the database of DATABASE_URL; other addresses of it show when probed. */
export function namesOwnDatabase(
  engine: Engine,
  connection: Record<string, unknown>,
  ownUrl = process.env.DATABASE_URL,
) {
  if (engine.kind !== "postgres" || !ownUrl) return false;
  const own = parseOwn(engine, ownUrl);
  return own !== null && ["host", "port", "database"].every((key) => own[key] === connection[key]);
}

function parseOwn(engine: Engine, ownUrl: string): Record<string, unknown> | null {
  try {
    return engine.parseUrl(ownUrl).connection;
  } catch {
    return null;
  }
}

/** Whether what was reached is the database of DATABASE_URL, whatever address it was reached by. */
export async function isOwnDatabase(
  engine: Engine,
  reached: Pick<ServerInfo, "identity" | "databaseName">,
  signal: AbortSignal,
  ownUrl = process.env.DATABASE_URL,
): Promise<boolean> {
  if (engine.kind !== "postgres" || !ownUrl) return false;
  const own = await engine.probe(engine.parseUrl(ownUrl), signal);
  return own.identity === reached.identity && own.databaseName === reached.databaseName;
}
