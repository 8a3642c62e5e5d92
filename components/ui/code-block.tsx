"use client";
import classes from "./code-block.module.css";
/** Commands or SQL to copy. Long lines wrap; the text stays selectable. */
import { CopyButton } from "./copy-button";

export function CodeBlock({ code, label = "Copy" }: { code: string; label?: string }) {
  return (
    <div className={classes.block}>
      <pre>
        <code>{code}</code>
      </pre>
      <div className={classes.copy}>
        <CopyButton value={code} label={label} />
      </div>
    </div>
  );
}
