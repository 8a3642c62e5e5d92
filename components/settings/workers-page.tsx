"use client";
import { type Column, PlainTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorPanel } from "@/components/ui/error-panel";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { Status } from "@/components/ui/status";
/** The workers: which are up, what they can do, how they keep restored copies apart. */
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { apiGet } from "@/lib/api-client";
import { plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import type { WorkerDto } from "@/lib/workers/schema";
import classes from "./settings.module.css";

const TONES = { up: "ok", lost: "problem", stopped: "unknown" } as const;
const ISOLATION: Record<string, string> = {
  namespaces: "own namespaces, no network",
  role: "an ordinary user and a role without superuser rights",
  none: "none",
};

const columns: Column<WorkerDto>[] = [
  {
    key: "name",
    header: "Worker",
    main: true,
    width: "170px",
    cell: (row) => (
      <>
        {row.name}
        <span className={classes.limits}>
          {row.host}, process {row.pid}
        </span>
      </>
    ),
  },
  {
    key: "state",
    header: "State",
    width: "120px",
    cell: (row) => (
      <Status
        tone={TONES[row.state]}
        detail={row.state === "up" ? `${row.running} running` : <RelativeTime at={row.heartbeatAt} still />}
      >
        {row.state}
      </Status>
    ),
  },
  { key: "pool", header: "Pool", width: "100px", cell: (row) => row.pool },
  {
    key: "started",
    header: "Runs since",
    width: "120px",
    wideOnly: true,
    cell: (row) => <RelativeTime at={row.startedAt} still />,
  },
  { key: "tools", header: "Tools", width: "150px", cell: (row) => <Lines items={toolsOf(row)} /> },
  { key: "sandboxes", header: "Proves with", cell: (row) => <Sandboxes abilities={row.abilities} /> },
];

/** "pg_dump 15.18" from the tool's name, which may hold its major, and its version. */
function toolsOf({ abilities }: WorkerDto): string[] {
  return Object.entries(abilities.tools).map(([name, version]) => `${name.replace(/ \d+$/, "")} ${version}`);
}

function Lines({ items }: { items: string[] }) {
  if (items.length === 0) return "none found";
  return (
    <ul className={classes.lines}>
      {items.map((item) => (
        <li key={item}>{item}</li>
      ))}
    </ul>
  );
}

function Sandboxes({ abilities }: Pick<WorkerDto, "abilities">) {
  const { sandboxes, isolation, isolationDetail } = abilities;
  const good = isolation === "namespaces";
  const words = ISOLATION[isolation] ?? isolation;
  return (
    <Status
      tone={good && sandboxes.length > 0 ? "ok" : "warning"}
      detail={
        <>
          isolated by {words}
          {good || !isolationDetail ? null : <>: {isolationDetail}</>}
        </>
      }
    >
      {sandboxes.join(", ") || "no server found"}
    </Status>
  );
}

function finding(workers: WorkerDto[]): TitlePart[] {
  const up = workers.filter((worker) => worker.state === "up").length;
  const lost = workers.filter((worker) => worker.state === "lost").length;
  if (up === 0)
    return [
      { text: "No worker is up: ", tone: "problem" },
      { text: "nothing that is asked for will start." },
    ];
  if (lost === 0) return [{ text: `${plural(up, "worker")} up.` }];
  return [{ text: `${plural(up, "worker")} up, ` }, { text: `${lost} lost.`, tone: "warning" }];
}

export function WorkersPage() {
  const query = useSharedQuery({
    queryKey: settingsKeys.workers,
    queryFn: ({ signal }) => apiGet<Page<WorkerDto>>("workers", {}, signal),
    refetchInterval: 10_000,
  });
  if (!query.data) {
    if (!query.error) return <RowsSkeleton rows={4} />;
    return (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} retrying={query.isFetching} />
    );
  }
  const { items } = query.data;
  return (
    <>
      <PageHeader
        title={finding(items)}
        facts={["They do the work; run more of them on more machines with npm run worker"]}
      />
      <Panel>
        {items.length === 0 ? (
          <EmptyState title="No worker has registered yet">
            Start one with npm start, or npm run worker beside a web process.
          </EmptyState>
        ) : (
          <PlainTable label="Workers" columns={columns} rows={items} rowKey={(row) => row.id} />
        )}
      </Panel>
    </>
  );
}
