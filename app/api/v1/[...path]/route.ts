import { dispatch } from "@/lib/api/dispatch.ts";
import { endpoints } from "@/lib/api/registry.ts";
import { getRuntime } from "@/lib/runtime.ts";

export const dynamic = "force-dynamic";

async function handle(request: Request): Promise<Response> {
  const runtime = await getRuntime();
  return await dispatch(runtime, endpoints, request);
}

export {
  handle as DELETE,
  handle as GET,
  handle as HEAD,
  handle as OPTIONS,
  handle as PATCH,
  handle as POST,
  handle as PUT,
};
