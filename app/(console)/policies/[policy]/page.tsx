import type { Metadata } from "next";
import { PolicyPage } from "@/components/policies/policy-page";
import { archivePolicyAction, pausePolicyAction, resumePolicyAction, runPolicyAction } from "../actions";

export const metadata: Metadata = { title: "Policy" };

export default async function Page({ params }: { params: Promise<{ policy: string }> }) {
  const { policy } = await params;
  return (
    <PolicyPage
      name={decodeURIComponent(policy)}
      actions={{
        run: runPolicyAction,
        pause: pausePolicyAction,
        resume: resumePolicyAction,
        archive: archivePolicyAction,
      }}
    />
  );
}
