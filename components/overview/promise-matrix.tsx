"use client";
import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import Link from "next/link";
import { useState } from "react";
import { Hidden } from "@/components/ui/hidden";
import { RelativeTime } from "@/components/ui/relative-time";
import { Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import type { DatabaseItem } from "@/lib/databases/schema";
import { formatBytes, formatCount } from "@/lib/format";
import { engineLabel } from "../databases/engine-label";
import { byApplication, mostUrgent } from "./group-databases";
import classes from "./promise-matrix.module.css";

const SHOWN_AT_FIRST = 60;

/** Every database by application, with its promises; each cell opens its evidence. */
export function PromiseMatrix({ databases }: { databases: DatabaseItem[] }) {
  const [all, setAll] = useState(false);
  const cut = databases.length > SHOWN_AT_FIRST && !all;
  const shown = cut ? mostUrgent(databases, SHOWN_AT_FIRST) : databases;
  const note = cut
    ? `${formatCount(shown.length)} of ${formatCount(databases.length)}, the most urgent first`
    : "each cell opens its evidence";
  return (
    <Section title="Promises" note={note}>
      <div className={classes.frame}>
        <table className={classes.matrix} aria-label="Promises of every database">
          <thead>
            <tr>
              <th scope="col">Database</th>
              <th scope="col">Environment</th>
              <th scope="col">Recoverable</th>
              <th scope="col">Last backup</th>
              <th scope="col">Last proven</th>
            </tr>
          </thead>
          {byApplication(shown).map(([application, members]) => (
            <tbody key={application}>
              <tr className={classes.group}>
                <th scope="rowgroup" colSpan={5}>
                  {application}
                </th>
              </tr>
              {members.map((database) => (
                <Row key={database.id} database={database} />
              ))}
            </tbody>
          ))}
        </table>
        {cut ? (
          <div className={classes.more}>
            <Button variant="subtle" size="compact-sm" onClick={() => setAll(true)}>
              Show all {formatCount(databases.length)} databases
            </Button>
          </div>
        ) : null}
      </div>
    </Section>
  );
}

function Row({ database }: { database: DatabaseItem }) {
  const { recoverable } = database;
  const about = [
    engineLabel(database.engine, database.serverVersion),
    database.sizeBytes === null ? null : formatBytes(database.sizeBytes),
  ];
  return (
    <tr>
      <th scope="row" className={classes.name}>
        <Link href={`/databases/${database.name}`} prefetch={false}>
          {database.name}
        </Link>
        <span>{about.filter(Boolean).join(" · ")}</span>
      </th>
      <td className={classes.environment}>
        {database.environment}
        {database.protected ? (
          <>
            <IconLock size={13} aria-hidden /> <Hidden>protected</Hidden>
          </>
        ) : null}
      </td>
      <td className={classes.promise} data-tone={recoverable.state}>
        <Link href={recoverable.href ?? `/databases/${database.name}`} prefetch={false}>
          <Status tone={recoverable.state} detail={recoverable.detail} coloured={false}>
            {recoverable.text}
          </Status>
        </Link>
      </td>
      <td className={classes.time} data-label="Last backup">
        {database.lastBackupAt ? <RelativeTime at={database.lastBackupAt} still /> : "never"}
      </td>
      <td className={classes.time} data-label="Last proven">
        {database.lastProvenAt ? <RelativeTime at={database.lastProvenAt} still /> : "never"}
      </td>
    </tr>
  );
}
