"use client";
/** Copies `value` and says so for two seconds. */
import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconCopy } from "@tabler/icons-react";
import { Announce } from "./hidden";

export function CopyButton({ value, label = "Copy" }: { value: string; label?: string }) {
  const { copied, error, copy } = useClipboard({ timeout: 2000 });
  const Icon = error ? IconAlertTriangle : copied ? IconCheck : IconCopy;
  // Over plain http browsers have no clipboard.
  const refused = error ? "The browser refused; select it and copy by hand" : "";
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="unknown"
        size="sm"
        aria-label={label}
        title={refused || label}
        onClick={() => copy(value)}
      >
        <Icon size={15} aria-hidden />
      </ActionIcon>
      <Announce>{copied ? "Copied" : refused}</Announce>
    </>
  );
}
