"use client";
/** A secret that is shown this one time: token, invitation link, temporary password. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { CodeBlock } from "@/components/ui/code-block";
import { Dialog } from "@/components/ui/dialog";
import classes from "./settings.module.css";

export function SecretShownOnce({
  secret,
  title,
  children,
  onClose,
}: {
  /** null: closed. */
  secret: string | null;
  title: string;
  children: ReactNode;
  onClose: () => void;
}) {
  return (
    <Dialog opened={secret !== null} onClose={onClose} title={title} closeOnClickOutside={false} size="lg">
      <div className={classes.note}>{children}</div>
      <CodeBlock code={secret ?? ""} />
      <div className={classes.buttons} style={{ marginTop: 16 }}>
        <Button onClick={onClose}>I have it</Button>
      </div>
    </Dialog>
  );
}
