import { Readable } from "node:stream";
import { requireOwnOrigin } from "@/lib/api/authenticate";
import { describeError, problemResponse } from "@/lib/api/problem";
import { readForm } from "@/lib/api/read-request";
import { currentCtx } from "@/lib/auth/session";
import { downloadArtefact } from "@/lib/backups/download-artefact";
import { HoldfastError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import { getRuntime } from "@/lib/runtime";

/** The browser's own download: a form with the password, answered with the file as a stream. */
export async function POST(request: Request, { params }: { params: Promise<{ backup: string }> }) {
  const requestId = newId();
  try {
    requireOwnOrigin(await getRuntime(), request);
    const ctx = await currentCtx();
    if (!ctx) throw new HoldfastError("unauthenticated", "You are signed out.", { remedy: "Sign in again." });
    const field = await readForm(request);
    const { fileName, bytes, stream } = await downloadArtefact(ctx, {
      backup: (await params).backup,
      artefact: field("artefact"),
      query: { as: field("as") === "dump" ? "dump" : "stored" },
      confirmPassword: field("password"),
    });
    const headers: Record<string, string> = {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${fileName}"`,
      "cache-control": "no-store",
    };
    if (bytes !== null) headers["content-length"] = String(bytes);
    return new Response(Readable.toWeb(stream) as ReadableStream, { headers });
  } catch (error) {
    const problem = describeError(error, requestId);
    if (problem.unknown) (await getRuntime()).log.error({ err: error, requestId }, "download failed");
    return problemResponse(problem, requestId);
  }
}
