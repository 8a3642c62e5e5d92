export const dynamic = "force-dynamic";

/** The process is up and answers. */
export function GET(): Response {
  return Response.json({ status: "ok" }, { headers: { "Cache-Control": "no-store" } });
}
