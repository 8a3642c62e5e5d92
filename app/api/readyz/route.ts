import type { Readiness } from "@/lib/health/readiness.ts";
import { expectedMigrations, readiness } from "@/lib/health/readiness.ts";
import { getRuntime } from "@/lib/runtime.ts";

export const dynamic = "force-dynamic";

/** Settings or keys are wrong; the log says which. */
const NOT_READY: Readiness = {
  ready: false,
  checks: { database: "unknown", migrations: "unknown", worker: "unknown" },
};

/** Whether this install can do its work: 200, or 503 with the part that is missing. No sign-in, no details. */
export async function GET(): Promise<Response> {
  const runtime = await getRuntime().catch(() => null);
  const result = runtime ? await readiness(runtime.db, await expectedMigrations(), new Date()) : NOT_READY;
  return Response.json(result, {
    status: result.ready ? 200 : 503,
    headers: { "Cache-Control": "no-store" },
  });
}
