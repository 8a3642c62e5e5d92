"use client";
/** Makes or edits a policy. The form's code is fetched when there is something to fill in. */
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { lazy, Suspense } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { useHydrated, useZone } from "@/components/ui/clock";
import { BlockSkeleton, HeaderSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
import { apiGet } from "@/lib/api-client";
import { policyKeys } from "@/lib/policies/query-keys";
import type { CreatePolicyInput, PolicyDto, UpdatePolicyInput } from "@/lib/policies/schema";
import type { PolicyFormProps } from "./policy-form";
import { createInputOf, emptyValues, updateInputOf, valuesOf } from "./policy-values";

const PolicyForm = lazy(() => import("./policy-form"));

const TRAIL = [{ label: "Policies", href: "/policies" }];
type Simulate = PolicyFormProps["simulate"];

export function NewPolicyPage({
  create,
  simulate,
}: {
  create: ServerAction<CreatePolicyInput, PolicyDto>;
  simulate: Simulate;
}) {
  const zone = useZone();
  const hydrated = useHydrated();
  const asked = useSearchParams().get("databases");
  const databases = asked ? asked.split(",").filter(Boolean) : [];
  // The viewer's zone is proposed, and known only in the browser.
  if (!hydrated) return <EditorSkeleton />;
  return (
    <Suspense fallback={<EditorSkeleton />}>
      <PolicyForm
        title="New policy"
        policy={null}
        initial={emptyValues(zone, databases)}
        save={({ values }) => create(createInputOf(values))}
        simulate={simulate}
      />
    </Suspense>
  );
}

export function EditPolicyPage({
  name,
  update,
  simulate,
}: {
  name: string;
  update: ServerAction<{ policy: string; change: UpdatePolicyInput }, PolicyDto>;
  simulate: Simulate;
}) {
  const query = useQuery({
    queryKey: policyKeys.one(name),
    queryFn: ({ signal }) => apiGet<PolicyDto>(`policies/${encodeURIComponent(name)}`, {}, signal),
  });
  const policy = query.data;
  if (!policy) {
    if (query.error) return <UnreadPage what="policy" name={name} trail={TRAIL} query={query} />;
    return <EditorSkeleton />;
  }
  return (
    <Suspense fallback={<EditorSkeleton />}>
      <PolicyForm
        key={policy.id}
        title="Edit it"
        policy={policy}
        initial={valuesOf(policy)}
        save={({ values, edited }) =>
          update({ policy: policy.id, change: updateInputOf(values, edited?.version ?? policy.version) })
        }
        simulate={simulate}
      />
    </Suspense>
  );
}

function EditorSkeleton() {
  return (
    <>
      <HeaderSkeleton trail={TRAIL} />
      <BlockSkeleton height={620} />
    </>
  );
}
