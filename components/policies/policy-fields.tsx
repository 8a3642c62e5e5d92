"use client";
/** The fields of a policy: what, where to, when, how long, how often proven. */
import { Checkbox, type CheckboxGroupProps, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useDatabaseNames } from "@/components/ui/database-names";
import { FieldGroup, FieldRow, type useActionForm } from "@/components/ui/form";
import { apiGet } from "@/lib/api-client";
import type { DestinationDto } from "@/lib/destinations/schema";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import classes from "./policies.module.css";
import type { PolicyValues } from "./policy-values";

type FormState = ReturnType<typeof useActionForm<PolicyValues, unknown, unknown>>;
interface Props {
  form: Pick<FormState, "field" | "values" | "form">;
}

const KINDS = [
  { value: "daily", label: "Daily" },
  { value: "weekly", label: "Weekly" },
  { value: "monthly", label: "Monthly" },
  { value: "hours", label: "Every few hours" },
  { value: "minutes", label: "Every few minutes" },
  { value: "cron", label: "Cron expression" },
];
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"].map(
  (label, index) => ({ value: String(index + 1), label }),
);
const MONTH_DAYS = [
  ...Array.from({ length: 28 }, (_, index) => ({ value: String(index + 1), label: String(index + 1) })),
  { value: "last", label: "the last day" },
];
const numbers = (list: number[], unit: string) =>
  list.map((value) => ({ value: String(value), label: `${value} ${unit}` }));
const MINUTES = numbers([5, 10, 15, 20, 30], "min");
const HOURS = numbers([1, 2, 3, 4, 6, 8, 12], "h");
const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

/** The message of a list, or of the first of its entries that is wrong. */
function errorOf(errors: Record<string, ReactNode>, name: string): ReactNode {
  const key = Object.keys(errors).find((field) => field === name || field.startsWith(`${name}.`));
  return key === undefined ? null : errors[key];
}

function useDestinationNames(chosen: string[]): string[] {
  const { data } = useQuery({
    queryKey: settingsKeys.destinations,
    queryFn: ({ signal }) => apiGet<Page<DestinationDto>>("destinations", {}, signal),
  });
  const inUse = (data?.items ?? []).filter((item) => !item.archivedAt).map(({ name }) => name);
  return [...new Set([...inUse, ...chosen])];
}

/** Boxes to tick: lists with a search would be half of this page's code. */
function Choices({ names, ...group }: { names: string[] } & Omit<CheckboxGroupProps, "children">) {
  return (
    <Checkbox.Group {...group}>
      <div className={classes.choices}>
        {names.map((name) => (
          <Checkbox key={name} value={name} label={name} />
        ))}
        {names.length === 0 ? <span className={classes.quiet}>There is none yet.</span> : null}
      </div>
    </Checkbox.Group>
  );
}

export function SelectionFields({ form }: Props) {
  const { field, values, form: state } = form;
  const databases = useDatabaseNames();
  const destinations = useDestinationNames(values.destinations);
  return (
    <FieldGroup legend="What it backs up, and where to">
      <TextInput
        label="Name"
        description="Lower-case letters, digits, hyphens."
        placeholder="nightly"
        spellCheck={false}
        {...field("name")}
      />
      <Choices
        label="Databases"
        names={[...new Set([...databases.map(({ value }) => value), ...values.databases])]}
        {...field("databases")}
        error={errorOf(state.errors, "databases")}
      />
      <TextInput
        label="Patterns"
        description="Names with * and ?, separated by commas: databases that are registered later are covered, too."
        placeholder="shop-*"
        spellCheck={false}
        {...field("patterns")}
        error={errorOf(state.errors, "patterns")}
      />
      <Choices
        label="Destinations"
        description="Each backup gets a copy at each of them, written in one pass."
        names={destinations}
        {...field("destinations")}
        error={errorOf(state.errors, "destinations")}
      />
    </FieldGroup>
  );
}

export function ScheduleFields({ form }: Props) {
  const { field, values, form: state } = form;
  const { kind } = values.schedule;
  return (
    <FieldGroup legend="When">
      <FieldRow>
        <NativeSelect label="Schedule" data={KINDS} {...field("schedule.kind")} />
        {kind === "monthly" ? (
          <NativeSelect label="Day of the month" data={MONTH_DAYS} {...field("schedule.day")} />
        ) : null}
        {kind === "daily" || kind === "weekly" || kind === "monthly" ? (
          <TextInput label="Time" type="time" {...field("schedule.at")} />
        ) : null}
        {kind === "minutes" ? (
          <NativeSelect label="Every" data={MINUTES} {...field("schedule.minutes")} />
        ) : null}
        {kind === "hours" ? <NativeSelect label="Every" data={HOURS} {...field("schedule.hours")} /> : null}
        {kind === "cron" ? (
          <TextInput
            label="Cron expression"
            description="Minute, hour, day, month, weekday."
            spellCheck={false}
            {...field("schedule.expression")}
            error={errorOf(state.errors, "schedule")}
          />
        ) : null}
        <TextInput label="Time zone" list="policy-zones" spellCheck={false} {...field("zone")} />
        <datalist id="policy-zones">
          {ZONES.map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </FieldRow>
      {kind === "weekly" ? (
        <Checkbox.Group
          label="Days"
          {...field("schedule.days")}
          error={errorOf(state.errors, "schedule.days")}
        >
          <div className={classes.choices}>
            {WEEKDAYS.map(({ value, label }) => (
              <Checkbox key={value} value={value} label={label} />
            ))}
          </div>
        </Checkbox.Group>
      ) : null}
      <FieldRow>
        <NativeSelect
          label="What was due while nothing was up"
          data={[
            { value: "catch_up", label: "Make up for the newest" },
            { value: "skip", label: "Wait for the next time" },
          ]}
          {...field("missed")}
        />
        <TextInput
          label="Spread, minutes"
          description="Each database starts up to that much later."
          inputMode="numeric"
          maxLength={3}
          {...field("jitterMinutes")}
          error={errorOf(state.errors, "jitterSeconds")}
        />
      </FieldRow>
    </FieldGroup>
  );
}

const KEEP = [
  { rule: "last", label: "Newest" },
  { rule: "hourly", label: "Hourly" },
  { rule: "daily", label: "Daily" },
  { rule: "weekly", label: "Weekly" },
  { rule: "monthly", label: "Monthly" },
  { rule: "yearly", label: "Yearly" },
  { rule: "proven", label: "Proven, always" },
] as const;

export function KeepingFields({ form }: Props) {
  const { field, values } = form;
  return (
    <>
      <FieldGroup
        legend="How long"
        hint="Of each hour, day, week, … that has a backup, the newest one stays, for so many of them. With every number 0 nothing is deleted. The newest proven ones and what is pinned always stay."
      >
        <FieldRow>
          {KEEP.map(({ rule, label }) => (
            <TextInput
              key={rule}
              label={label}
              inputMode="numeric"
              maxLength={5}
              {...field(`retention.${rule}`)}
            />
          ))}
        </FieldRow>
      </FieldGroup>
      <FieldGroup legend="Which are proven">
        <FieldRow>
          <NativeSelect
            label="Prove"
            description="By restoring it into a throwaway server."
            data={[
              { value: "each", label: "Every backup" },
              { value: "nth", label: "One in so many" },
              { value: "daily", label: "The first of each day" },
              { value: "weekly", label: "The first of each week" },
            ]}
            {...field("verification.kind")}
          />
          {values.verification.kind === "nth" ? (
            <TextInput label="One in" inputMode="numeric" maxLength={4} {...field("verification.n")} />
          ) : null}
        </FieldRow>
      </FieldGroup>
    </>
  );
}
