/** A part of a page: quiet heading with an optional note and actions, and a `Panel` surface for its content. */
import { type ReactNode, useId } from "react";
import classes from "./section.module.css";

export function Section({
  title,
  note,
  actions,
  children,
}: {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <div className={classes.head}>
        <div className={classes.words}>
          <h2 id={id} className={classes.title}>
            {title}
          </h2>
          {note ? <span className={classes.note}>{note}</span> : null}
        </div>
        {actions ? <div className={classes.actions}>{actions}</div> : null}
      </div>
      {children}
    </section>
  );
}

/** A surface with a hairline. `padded` for free content; without it rows and tables touch the edge. */
export function Panel({ children, padded = false }: { children: ReactNode; padded?: boolean }) {
  return (
    <div className={classes.panel} data-padded={padded || undefined}>
      {children}
    </div>
  );
}
