import { NextRequest } from "next/server";
import NextAuth from "next-auth";
import { describeError, problemResponse } from "@/lib/api/problem.ts";
import { readFormText } from "@/lib/api/read-request.ts";
import { authOptions } from "@/lib/auth/options.ts";
import { newId } from "@/lib/ids.ts";
import { getRuntime } from "@/lib/runtime.ts";

async function handle(request: NextRequest, context: { params: Promise<{ nextauth: string[] }> }) {
  const runtime = await getRuntime();
  const requestId = newId();
  try {
    const taken = request.method === "POST" ? await withForm(request) : request;
    return (await NextAuth(taken, context, authOptions(runtime))) as Response;
  } catch (error) {
    const problem = describeError(error, requestId);
    if (problem.unknown) runtime.log.error({ err: error, requestId }, "sign-in request failed");
    return problemResponse(problem, requestId);
  }
}

/** The same request with its form read: next-auth would take one of any size. */
async function withForm(request: NextRequest): Promise<NextRequest> {
  const { url, method, headers } = request;
  return new NextRequest(url, { method, headers, body: await readFormText(request) });
}

export { handle as GET, handle as POST };
