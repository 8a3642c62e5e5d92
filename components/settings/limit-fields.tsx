"use client";
/**
 * What a role is limited to: environments to choose from, and applications, which may be named before they have a
 * database. Empty fields mean all.
 */
import { MultiSelect, TagsInput } from "@mantine/core";
import type { ReactNode } from "react";
import { listed } from "./limit-words";
import { useApplications } from "./use-applications";
import { useEnvironmentNames } from "./use-environment-names";

export interface Limits {
  environments: string[];
  applications: string[];
}
type Name = keyof Limits;

interface LimitForm {
  values: Limits;
  field: (name: Name) => object;
  form: { errors: Record<string, ReactNode> };
}

/** The message of a list, or of the first of its entries that is wrong. */
function errorOf(errors: Record<string, ReactNode>, name: Name): ReactNode {
  const key = Object.keys(errors).find((field) => field === name || field.startsWith(`${name}.`));
  return key === undefined ? null : errors[key];
}

export function LimitFields({ form }: { form: LimitForm }) {
  const environments = useEnvironmentNames();
  const applications = useApplications();
  const { values } = form;
  const unknown = applications ? values.applications.filter((name) => !applications.includes(name)) : [];
  return (
    <>
      <MultiSelect
        label="Only these environments"
        data={environments}
        {...(values.environments.length === 0 ? { placeholder: "all" } : {})}
        {...form.field("environments")}
        error={errorOf(form.form.errors, "environments")}
      />
      <TagsInput
        label="Only these applications"
        data={applications ?? []}
        {...(values.applications.length === 0 ? { placeholder: "all" } : {})}
        splitChars={[",", " "]}
        clearable
        comboboxProps={{ shadow: "md" }}
        description={
          unknown.length > 0
            ? `No database belongs to ${listed(unknown)} yet: check the spelling.`
            : "Databases of other applications are out of sight."
        }
        inputWrapperOrder={["label", "input", "description", "error"]}
        {...form.field("applications")}
        error={errorOf(form.form.errors, "applications")}
      />
    </>
  );
}
