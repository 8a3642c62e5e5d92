/** Nothing here: says what would be here and what to do next. For a filter without matches use NoMatches. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./empty-state.module.css";

export function EmptyState({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={classes.empty}>
      <svg className={classes.mark} viewBox="0 0 48 24" aria-hidden="true" focusable="false">
        <path d="M2 20h44M10 20c0-7 4-11 14-11s14 4 14 11M24 2v18" />
      </svg>
      <h3 className={classes.title}>{title}</h3>
      {children ? <div className={classes.text}>{children}</div> : null}
      {action ? <div className={classes.action}>{action}</div> : null}
    </div>
  );
}

export function NoMatches({ what, onClear }: { what: string; onClear: () => void }) {
  return (
    <EmptyState
      title={`No ${what} match these filters`}
      action={
        <Button variant="default" onClick={onClear}>
          Clear the filters
        </Button>
      }
    />
  );
}
