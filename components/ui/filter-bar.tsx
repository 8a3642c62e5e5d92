"use client";
/** The row of filters above a list: search that waits for a pause in typing, selects, and a day. */
import { CloseButton, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useState } from "react";
import classes from "./filter-bar.module.css";

export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <search className={classes.bar} aria-label="Filters">
      {children}
    </search>
  );
}

export function SearchField({
  label,
  value,
  onChange,
}: {
  /** "Search databases": placeholder and name. */
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
}) {
  const [typed, setTyped] = useState(value ?? "");
  const report = useDebouncedCallback(onChange, 250);
  useEffect(() => setTyped(value ?? ""), [value]);
  const put = (text: string) => {
    setTyped(text);
    report(text);
  };
  return (
    <TextInput
      className={classes.search}
      aria-label={label}
      placeholder={label}
      value={typed}
      onChange={(event) => put(event.currentTarget.value)}
      leftSection={<IconSearch size={15} aria-hidden />}
      rightSection={
        typed ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => put("")} /> : null
      }
    />
  );
}

/** One day, written YYYY-MM-DD; the browser's own field for dates. */
export function FilterDay({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | null) => void;
}) {
  const [typed, setTyped] = useState(value ?? "");
  useEffect(() => setTyped(value ?? ""), [value]);
  const put = (day: string) => {
    setTyped(day);
    // A year that is still being typed is one of antiquity.
    if (day === "" || day >= "1970") onChange(day || null);
  };
  return (
    <TextInput
      className={classes.select}
      type="date"
      aria-label={label}
      value={typed}
      onChange={(event) => put(event.currentTarget.value)}
    />
  );
}

export function FilterSelect({
  label,
  value,
  onChange,
  options,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | null) => void;
  options: { value: string; label: string }[];
}) {
  return (
    <NativeSelect
      className={classes.select}
      aria-label={label}
      data={[{ value: "", label: `${label}: any` }, ...options]}
      value={value ?? ""}
      onChange={(event) => onChange(event.currentTarget.value || null)}
    />
  );
}
