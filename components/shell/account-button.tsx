"use client";
import { UnstyledButton } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import type { ComponentProps } from "react";
import classes from "./shell.module.css";

/** The account's name in the bar; takes what a menu gives its target. */
export function AccountButton({ name, ...target }: { name: string } & ComponentProps<"button">) {
  return (
    <UnstyledButton className={classes.user} aria-haspopup="menu" {...target}>
      <span>{name}</span>
      <IconChevronDown size={14} aria-hidden />
    </UnstyledButton>
  );
}
