/** The quiet frame of everything before the console: mark, one narrow column. */
import type { ReactNode } from "react";
import { Mark } from "@/components/shell/logo";
import classes from "./auth-frame.module.css";

export function AuthFrame({ children }: { children: ReactNode }) {
  return (
    <div className={classes.frame}>
      <header className={classes.brand}>
        <Mark size={28} />
        Holdfast
      </header>
      <main className={classes.main}>{children}</main>
    </div>
  );
}

export function AuthHeading({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes.heading}>
      <h1>{title}</h1>
      {children ? <p>{children}</p> : null}
    </div>
  );
}
