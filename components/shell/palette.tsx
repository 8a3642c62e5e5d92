"use client";
/** ⌘K: pages, everything that the search finds, and actions. Loaded when it is first opened. */
import { useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { createSpotlight, Spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { signOut } from "@/components/auth/auth-client";
import { apiGet } from "@/lib/api-client";
import { consolePages, settingsPage } from "./pages";
import { useCan } from "./viewer";

const [store, palette] = createSpotlight();

interface Found {
  kind: string;
  title: string;
  detail: string | null;
  href: string;
}
interface Entry {
  id: string;
  label: string;
  description: string;
  run: () => void;
}

const KINDS: Record<string, string> = {
  database: "Databases",
  backup: "Backups",
  policy: "Policies",
  operation: "Operations",
  member: "Members",
  environment: "Environments",
  destination: "Destinations",
  page: "More pages",
};

/** `opened` counts the requests to open it. */
export default function Palette({ opened }: { opened: number }) {
  const router = useRouter();
  const { setColorScheme, colorScheme } = useMantineColorScheme();
  const mayRegister = useCan("database.write");
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), 150);
  const search = useQuery({
    queryKey: ["search", asked],
    queryFn: ({ signal }) => apiGet<{ items: Found[] }>("search", { q: asked }, signal),
    enabled: asked.length > 0,
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    if (opened > 0) palette.open();
  }, [opened]);

  const go = (href: string) => () => router.push(href);
  const pages: Entry[] = [...consolePages, settingsPage].map((page) => ({
    id: page.href,
    label: page.label,
    description: page.about,
    run: go(page.href),
  }));
  const dark = colorScheme === "dark";
  const actions: Entry[] = [
    ...(mayRegister
      ? [
          {
            id: "register",
            label: "Register a database",
            description: "Connect one and have it backed up",
            run: go("/databases/new"),
          },
        ]
      : []),
    {
      id: "theme",
      label: dark ? "Light theme" : "Dark theme",
      description: "Change how the console looks",
      run: () => setColorScheme(dark ? "light" : "dark"),
    },
    { id: "out", label: "Sign out", description: "End this session", run: () => void signOut() },
  ];
  const groups: [string, Entry[]][] = [
    ...found(asked ? (search.data?.items ?? []) : [], go),
    ["Pages", matching(pages, typed)],
    ["Actions", matching(actions, typed)],
  ];
  const shown = groups.filter(([, entries]) => entries.length > 0);
  const empty = search.isFetching ? "Searching…" : `Nothing is called “${typed}”.`;

  return (
    <Spotlight.Root
      store={store}
      query={typed}
      onQueryChange={setTyped}
      shortcut={null}
      scrollable
      maxHeight={420}
      transitionProps={{ duration: 100 }}
    >
      <Spotlight.Search
        aria-label="Search or jump to"
        placeholder="Search or jump to…"
        leftSection={<IconSearch size={18} stroke={1.7} />}
      />
      <Spotlight.ActionsList>
        {shown.map(([label, entries]) => (
          <Spotlight.ActionsGroup key={label} label={label}>
            {entries.map((entry) => (
              <Spotlight.Action
                key={entry.id}
                label={entry.label}
                description={entry.description}
                onClick={entry.run}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {shown.length === 0 ? <Spotlight.Empty>{empty}</Spotlight.Empty> : null}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function matching(entries: Entry[], typed: string): Entry[] {
  const words = typed.trim().toLowerCase();
  return entries.filter((entry) => `${entry.label} ${entry.description}`.toLowerCase().includes(words));
}

function found(items: Found[], go: (href: string) => () => void): [string, Entry[]][] {
  const groups = new Map<string, Entry[]>();
  for (const item of items) {
    const label = KINDS[item.kind] ?? item.kind;
    const entry = { id: item.href, label: item.title, description: item.detail ?? "", run: go(item.href) };
    groups.set(label, [...(groups.get(label) ?? []), entry]);
  }
  return [...groups];
}
