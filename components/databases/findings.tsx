"use client";
/** What preflight found: what needs someone first and open, with why it matters and SQL to copy; the rest folded. */
import { CodeBlock } from "@/components/ui/code-block";
import { Status } from "@/components/ui/status";
import type { Finding } from "@/lib/databases/schema";
import { plural } from "@/lib/format";
import classes from "./findings.module.css";

const RANK: Record<Finding["state"], number> = { problem: 0, warning: 1, unknown: 2, ok: 3 };

export function Findings({ findings }: { findings: Finding[] }) {
  const open = findings
    .filter((finding) => finding.state !== "ok")
    .toSorted((a, b) => RANK[a.state] - RANK[b.state]);
  const passed = findings.filter((finding) => finding.state === "ok");
  return (
    <div className={classes.findings}>
      {open.map((finding) => (
        <article key={finding.id} className={classes.finding}>
          <Status tone={finding.state} detail={finding.detail} coloured={false}>
            <strong className={classes.title}>{finding.title}</strong>
          </Status>
          <p className={classes.why}>{finding.why}</p>
          {finding.sql ? <CodeBlock code={finding.sql} label={`Copy the SQL for: ${finding.title}`} /> : null}
        </article>
      ))}
      {passed.length > 0 ? (
        <details className={classes.passed} open={open.length === 0}>
          <summary>
            <Status tone="ok">{plural(passed.length, "check")} passed</Status>
          </summary>
          <ul>
            {passed.map((finding) => (
              <li key={finding.id}>
                {finding.title}
                {finding.detail ? <span> · {finding.detail}</span> : null}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </div>
  );
}
