/**
 * A page's title is its finding, in parts: only the part that needs someone has a tone. Below it a line of
 * facts, beside it the actions. `trail` are the pages above this one.
 */
import Link from "next/link";
import { Children, type ReactNode } from "react";
import classes from "./page-header.module.css";

export interface TitlePart {
  text: string;
  tone?: "plain" | "problem" | "warning";
}

export function PageHeader({
  trail = [],
  title,
  facts = [],
  actions,
}: {
  trail?: { label: string; href: string }[];
  title: string | TitlePart[];
  /** Short facts, joined by a middle dot; empty ones are left out. */
  facts?: ReactNode[];
  actions?: ReactNode;
}) {
  const parts: TitlePart[] = typeof title === "string" ? [{ text: title }] : title;
  const shown = facts.filter((fact) => fact !== null && fact !== undefined && fact !== false && fact !== "");
  return (
    <header className={classes.header}>
      <div className={classes.words}>
        {trail.length > 0 ? (
          <nav aria-label="Breadcrumb" className={classes.trail}>
            <ol>
              {trail.map((step) => (
                <li key={step.href}>
                  <Link href={step.href}>{step.label}</Link>
                </li>
              ))}
            </ol>
          </nav>
        ) : null}
        <h1 className={classes.title}>
          {parts.map((part) => (
            <span key={part.text} data-tone={part.tone ?? "plain"}>
              {part.text}
            </span>
          ))}
        </h1>
        {shown.length > 0 ? (
          <p className={classes.facts}>
            {Children.map(shown, (fact, index) => (
              <>
                {index > 0 ? " · " : null}
                {typeof fact === "string" && shown.length > 1 ? fact.replace(/\.$/, "") : fact}
              </>
            ))}
          </p>
        ) : null}
      </div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </header>
  );
}
