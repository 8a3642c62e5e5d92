/** What a retention would delete and keep of the backups that there are, database by database. */
import Link from "next/link";
import { RelativeTime } from "@/components/ui/relative-time";
import { formatBytes, plural } from "@/lib/format";
import type { Simulation } from "@/lib/policies/schema";
import classes from "./policies.module.css";

/** Backups of one database that are named; the others are counted. */
const SHOWN = 30;
/** Databases that are looked at one by one. */
const DATABASES = 20;

const REASONS: Record<string, string> = {
  last: "one of the newest",
  proven: "one of the newest proven",
  newest: "the newest",
  pinned: "pinned",
  paused: "of a paused policy",
  "its policy covers it no more": "of a policy that does not cover it any more",
  "no rule deletes": "no rule deletes",
};

export function SimulationSummary({ simulation }: { simulation: Simulation }) {
  const { deletes, keeps, freesBytes } = simulation;
  return (
    <p className={classes.sum}>
      {deletes === 0 ? "Would delete nothing now" : `Would delete ${plural(deletes, "backup")} now`}, keeps{" "}
      {plural(keeps, "backup")}
      {freesBytes > 0 ? `; ${formatBytes(freesBytes)} less at each destination` : ""}.
    </p>
  );
}

export function SimulationView({ simulation }: { simulation: Simulation }) {
  const { databases } = simulation;
  return (
    <div className={classes.simulation}>
      <SimulationSummary simulation={simulation} />
      {databases.slice(0, DATABASES).map((one) => (
        <details key={one.database}>
          <summary>
            {one.database}: deletes {one.remove.length}, keeps {one.keep.length}
          </summary>
          <ul className={classes.judged}>
            {one.remove.slice(0, SHOWN).map((backup) => (
              <li key={backup.id}>
                <Judged backup={backup} /> <strong>would be deleted</strong>
              </li>
            ))}
            {one.keep.slice(0, SHOWN).map((backup) => (
              <li key={backup.id}>
                <Judged backup={backup} /> stays:{" "}
                {backup.reasons.map((reason) => REASONS[reason] ?? reason).join(", ")}
              </li>
            ))}
            {one.remove.length + one.keep.length === 0 ? <li>It has no backup yet.</li> : null}
            {one.remove.length > SHOWN || one.keep.length > SHOWN ? <li>and more</li> : null}
          </ul>
        </details>
      ))}
      {databases.length > DATABASES ? (
        <p className={classes.quiet}>and {plural(databases.length - DATABASES, "more database")}</p>
      ) : null}
    </div>
  );
}

function Judged({ backup }: { backup: { id: string; createdAt: string; proven: boolean } }) {
  return (
    <>
      <Link href={`/backups/${backup.id}`} prefetch={false}>
        <RelativeTime at={backup.createdAt} still />
      </Link>
      {backup.proven ? ", proven," : ", not proven,"}
    </>
  );
}
