/** "staging and production; application shop": what a role is limited to; null without limits. */
export function limitWords({
  environments,
  applications,
}: {
  environments: string[];
  applications: string[];
}): string | null {
  const parts = [
    environments.length > 0 ? listed(environments) : null,
    applications.length > 0
      ? `${applications.length === 1 ? "application" : "applications"} ${listed(applications)}`
      : null,
  ];
  return parts.filter((part) => part !== null).join("; ") || null;
}

/** "a, b and c". */
export function listed(names: string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
