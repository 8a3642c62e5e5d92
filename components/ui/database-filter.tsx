"use client";
import { useDatabaseNames } from "./database-names";
import { FilterSelect } from "./filter-bar";

/** Narrows a list to one database. */
export function DatabaseFilter({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (value: string | null) => void;
}) {
  return <FilterSelect label="Database" value={value} onChange={onChange} options={useDatabaseNames()} />;
}
