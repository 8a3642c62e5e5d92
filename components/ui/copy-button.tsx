"use client";
/** Copies `value`; says so for two seconds. Without a clipboard (plain http) it selects nothing and says why. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconCopy } from "@tabler/icons-react";
import { Announce } from "./hidden";

export function CopyButton({ value, label = "Copy" }: { value: string; label?: string }) {
  const clipboard = useClipboard({ timeout: 2000 });
  const text = clipboard.error ? "The browser refused; select and copy by hand" : label;
  return (
    <>
      <Tooltip label={clipboard.copied ? "Copied" : text}>
        <ActionIcon
          variant="subtle"
          color="unknown"
          size="sm"
          aria-label={label}
          onClick={() => clipboard.copy(value)}
        >
          {clipboard.error ? (
            <IconAlertTriangle size={15} />
          ) : clipboard.copied ? (
            <IconCheck size={15} />
          ) : (
            <IconCopy size={15} />
          )}
        </ActionIcon>
      </Tooltip>
      <Announce>{clipboard.copied ? "Copied" : ""}</Announce>
    </>
  );
}
