"use client";
/** Makes or edits a policy, with its next runs and what its retention would delete beside it. */
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { useHydrated, useZone } from "@/components/ui/clock";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
import { apiGet } from "@/lib/api-client";
import { policyKeys } from "@/lib/policies/query-keys";
import type { CreatePolicyInput, PolicyDto, UpdatePolicyInput } from "@/lib/policies/schema";
import classes from "./policies.module.css";
import { KeepingFields, ScheduleFields, SelectionFields } from "./policy-fields";
import { PolicyPreview, type Simulate } from "./policy-preview";
import {
  createInputOf,
  emptyValues,
  type PolicyValues,
  simulateInputOf,
  updateInputOf,
  valuesOf,
} from "./policy-values";

const TRAIL = [{ label: "Policies", href: "/policies" }];

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
    <PolicyForm
      title="New policy"
      initial={emptyValues(zone, databases)}
      action={create}
      toInput={createInputOf}
      simulate={simulate}
    />
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
  // Live updates must not change what is being typed: the form keeps the version it began with.
  return (
    <PolicyForm
      key={policy.id}
      title="Edit it"
      policy={policy}
      initial={valuesOf(policy)}
      action={update}
      toInput={(values, edited) => ({
        policy: policy.id,
        change: updateInputOf(values, edited?.version ?? policy.version),
      })}
      simulate={simulate}
    />
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

function PolicyForm<I>({
  title,
  policy: given = null,
  initial,
  action,
  toInput,
  simulate,
}: {
  title: string;
  policy?: PolicyDto | null;
  initial: PolicyValues;
  action: ServerAction<I, PolicyDto>;
  toInput: (values: PolicyValues, edited: PolicyDto | null) => I;
  simulate: Simulate;
}) {
  const router = useRouter();
  const client = useQueryClient();
  const [edited] = useState(given);
  const form = useActionForm<PolicyValues, I, PolicyDto>({
    initial,
    action,
    toInput: (values) => toInput(values, edited),
    onDone: (saved) => {
      client.setQueryData(policyKeys.one(saved.name), saved);
      router.push(`/policies/${saved.name}`);
    },
  });
  const back = edited ? `/policies/${edited.name}` : "/policies";
  return (
    <>
      <PageHeader
        trail={edited ? [...TRAIL, { label: edited.name, href: back }] : TRAIL}
        title={title}
        facts={[
          "What it would do is shown beside it before it is saved",
          edited && edited.blackouts.length > 0 ? "Its blackouts stay as they are" : null,
        ]}
      />
      <div className={classes.editor}>
        <Panel padded>
          <ActionForm
            form={form}
            submitLabel={edited ? "Save" : "Make the policy"}
            secondary={
              <Button component={Link} href={back} variant="default">
                Cancel
              </Button>
            }
          >
            <SelectionFields form={form} />
            <ScheduleFields form={form} />
            <KeepingFields form={form} />
          </ActionForm>
        </Panel>
        <PolicyPreview input={simulateInputOf(form.values, edited)} simulate={simulate} />
      </div>
    </>
  );
}
