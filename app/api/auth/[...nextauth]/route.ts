import type { NextRequest } from "next/server";
import NextAuth from "next-auth";
import { authOptions } from "@/lib/auth/options.ts";
import { getRuntime } from "@/lib/runtime.ts";

async function handle(request: NextRequest, context: { params: Promise<{ nextauth: string[] }> }) {
  return (await NextAuth(request, context, authOptions(await getRuntime()))) as Response;
}

export { handle as GET, handle as POST };
