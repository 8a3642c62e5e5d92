"use client";
/** The form of a policy, with its next runs and what its retention would delete beside it. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import { policyKeys } from "@/lib/policies/query-keys";
import type { PolicyDto } from "@/lib/policies/schema";
import classes from "./policies.module.css";
import { KeepingFields, ScheduleFields, SelectionFields } from "./policy-fields";
import { PolicyPreview, type Simulate } from "./policy-preview";
import { type PolicyValues, simulateInputOf } from "./policy-values";

export interface PolicyFormProps {
  title: string;
  /** Null for a new one. */
  policy: PolicyDto | null;
  initial: PolicyValues;
  save: ServerAction<{ values: PolicyValues; edited: PolicyDto | null }, PolicyDto>;
  simulate: Simulate;
}

const TRAIL = [{ label: "Policies", href: "/policies" }];

export default function PolicyForm({ title, policy, initial, save, simulate }: PolicyFormProps) {
  const router = useRouter();
  const client = useQueryClient();
  // Live updates must not change what is being typed: the form keeps the version it began with.
  const [edited] = useState(policy);
  const form = useActionForm<PolicyValues, { values: PolicyValues; edited: PolicyDto | null }, PolicyDto>({
    initial,
    action: save,
    toInput: (values) => ({ values, edited }),
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
