/** Text for assistive technology only; with `live` it is read out when it changes. */
import type { ReactNode } from "react";
import classes from "./hidden.module.css";

export function Hidden({ children }: { children: ReactNode }) {
  return <span className={classes.hidden}>{children}</span>;
}

export function Announce({ children }: { children: ReactNode }) {
  return (
    <span className={classes.hidden} role="status">
      {children}
    </span>
  );
}
