import type { Metadata } from "next";
import { ApiReferencePage } from "@/components/api-docs/api-reference";
import { apiReference } from "@/lib/api/reference";
import { endpoints } from "@/lib/api/registry";
import { requireCtx } from "@/lib/auth/session";
import { getRuntime } from "@/lib/runtime";

export const metadata: Metadata = { title: "API" };

export default async function Page() {
  await requireCtx();
  return <ApiReferencePage reference={apiReference(endpoints, (await getRuntime()).env.url.origin)} />;
}
