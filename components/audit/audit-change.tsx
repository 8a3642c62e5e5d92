"use client";
/** What one audit event says: action and object in words, and the changed fields before and after. */
import { IconFilter } from "@tabler/icons-react";
import Link from "next/link";
import { Fragment } from "react";
import type { AuditItem } from "@/lib/audit/schema";
import classes from "./audit-change.module.css";

type Fields = Record<string, unknown>;

function shown(value: unknown): string {
  if (value === undefined) return "absent";
  if (value === null) return "none";
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) {
    return value.length === 0 ? "none" : value.join(", ");
  }
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** Names of fields whose values differ, in the order of the event. */
function changedFields(before: Fields | null, after: Fields | null): string[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
}

const PAGES: Record<string, string> = {
  database: "databases",
  backup: "backups",
  operation: "operations",
};

/** The name of what was acted on, with a link where it has a page. */
function AuditObject({ object }: { object: AuditItem["object"] }) {
  if (!object.name) return null;
  const page = PAGES[object.kind];
  if (!page || !object.id) return <strong className={classes.object}>{object.name}</strong>;
  return (
    <Link className={classes.object} href={`/${page}/${object.id}`} prefetch={false}>
      {object.name}
    </Link>
  );
}

export function AuditChange({ event }: { event: AuditItem }) {
  const { before, after } = event;
  const names = changedFields(before, after);
  return (
    <div className={classes.change}>
      <span>
        <code className={classes.action}>{event.action}</code> <AuditObject object={event.object} />
      </span>
      {event.object.name ? (
        <Link
          className={classes.only}
          href={`/audit?${new URLSearchParams({ objectKind: event.object.kind, object: event.object.id || event.object.name })}`}
          aria-label={`Only events of ${event.object.name}`}
          title="Only events of this"
        >
          <IconFilter size={14} aria-hidden />
        </Link>
      ) : null}
      {names.length > 0 ? (
        <details>
          <summary>{names.length === 1 ? "1 field" : `${names.length} fields`}</summary>
          <dl className={classes.fields}>
            {names.map((name) => (
              <Fragment key={name}>
                <dt>{name}</dt>
                <dd>
                  {before ? <del>{shown(before[name])}</del> : null}
                  {after ? <ins>{shown(after[name])}</ins> : null}
                </dd>
              </Fragment>
            ))}
          </dl>
        </details>
      ) : null}
    </div>
  );
}
