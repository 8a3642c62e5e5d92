"use client";
import { NativeSelect, SegmentedControl } from "@mantine/core";
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { CURSOR, writeUrl } from "@/components/ui/use-url-filters";
import { apiGet } from "@/lib/api-client";
import type { EnvironmentDto } from "@/lib/environments/schema";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import classes from "./shell.module.css";
import { useEnvironment } from "./use-environment";

const ALL = "";
const MOST_SEGMENTS = 5;

/** Every environment, from the last rung (usually production) to the first. */
export function useEnvironments(): EnvironmentDto[] {
  const { data } = useSharedQuery({
    queryKey: settingsKeys.environments,
    queryFn: ({ signal }) => apiGet<Page<EnvironmentDto>>("environments", {}, signal),
  });
  return [...(data?.items ?? [])].sort((a, b) => b.position - a.position);
}

export function EnvironmentSwitcher() {
  const environments = useEnvironments();
  const chosen = useEnvironment() ?? ALL;
  if (environments.length < 2) return null;
  const data = [
    { value: ALL, label: "All" },
    ...environments.map(({ name }) => ({ value: name, label: name })),
  ];
  const choose = (name: string | null) => writeUrl({ environment: name, [CURSOR]: null }, true);
  const wide = environments.length <= MOST_SEGMENTS;
  return (
    <>
      {wide ? (
        <SegmentedControl
          className={classes.segments}
          aria-label="Environment"
          size="sm"
          data={data}
          value={chosen}
          onChange={choose}
        />
      ) : null}
      <NativeSelect
        {...(wide ? { className: classes.select ?? "" } : {})}
        aria-label="Environment"
        data={data.map((item) => (item.value === ALL ? { value: ALL, label: "All environments" } : item))}
        value={chosen}
        onChange={(event) => choose(event.currentTarget.value)}
      />{" "}
    </>
  );
}
