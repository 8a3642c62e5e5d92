/** Names and values of one thing. `Figures` shows up to five large numbers side by side, with a note each. */
import type { ReactNode } from "react";
import type { Tone } from "@/components/theme/theme";
import classes from "./key-values.module.css";

export function KeyValues({ items }: { items: [name: string, value: ReactNode][] }) {
  return (
    <dl className={classes.list}>
      {items.map(([name, value]) => (
        <div key={name} className={classes.item}>
          <dt>{name}</dt>
          <dd>{value ?? <span className={classes.none}>not known</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

export interface Figure {
  name: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: Tone;
}

export function Figures({ items }: { items: Figure[] }) {
  return (
    <dl className={classes.figures}>
      {items.map((item) => (
        <div key={item.name} className={classes.figure}>
          <dt>{item.name}</dt>
          <dd className={classes.value} data-tone={item.tone}>
            {item.value}
          </dd>
          {item.note ? <dd className={classes.note}>{item.note}</dd> : null}
        </div>
      ))}
    </dl>
  );
}
