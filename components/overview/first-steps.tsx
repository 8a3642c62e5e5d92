"use client";
import { Button, CloseButton } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useCan } from "@/components/shell/viewer";
import { Panel, Section } from "@/components/ui/section";
import { ToneIcon } from "@/components/ui/status";
import { apiGet } from "@/lib/api-client";
import type { DatabaseItem } from "@/lib/databases/schema";
import type { KeysDto } from "@/lib/keys/schema";
import { settingsKeys } from "@/lib/members/query-keys";
import classes from "./overview.module.css";

interface Step {
  title: string;
  text: string;
  done: boolean;
  action?: { label: string; href: string };
}

/**
 * The way from nothing to a proven backup, computed from what is there; gone when it is complete or put away, or
 * when what is left of it is asked for above (`kitAsked`).
 */
export function FirstSteps({ databases, kitAsked }: { databases: DatabaseItem[]; kitAsked: boolean }) {
  const mayRegister = useCan("database.write");
  const mayKeep = useCan("key.write");
  const [away, setAway] = useLocalStorage({ key: "holdfast-first-steps-away", defaultValue: false });
  const keys = useQuery({
    queryKey: settingsKeys.keys,
    queryFn: ({ signal }) => apiGet<KeysDto>("keys", {}, signal),
    enabled: mayKeep,
  });
  const first = databases[0];
  const backedUp = databases.some((database) => database.lastBackupAt !== null);
  const proven = databases.some((database) => database.lastProvenAt !== null);
  if (mayKeep && keys.isPending) return null;

  const steps: Step[] = [
    {
      title: "Register a database",
      text: "A PostgreSQL server or a SQLite file. Nothing on it is changed.",
      done: databases.length > 0,
      ...(mayRegister ? { action: { label: "Register a database", href: "/databases/new" } } : {}),
    },
    {
      title: "Back it up",
      text: "One pass: dumped, compressed, encrypted and fingerprinted in the same snapshot.",
      done: backedUp,
      ...(first ? { action: { label: `Open ${first.name}`, href: `/databases/${first.name}` } } : {}),
    },
    {
      title: "See it proven",
      text: "The backup is restored into a throwaway server and compared table by table.",
      done: proven,
      ...(first ? { action: { label: `Open ${first.name}`, href: `/databases/${first.name}` } } : {}),
    },
    ...(keys.data?.encryption
      ? [
          {
            title: "Keep the recovery kit",
            text: "With it your backups open even if this server and its keys are gone.",
            done: keys.data.recoveryKit.confirmedAt !== null,
            action: { label: "Make the kit", href: "/setup/recovery-kit" },
          },
        ]
      : []),
  ];
  const done = steps.filter((step) => step.done).length;
  const next = steps.find((step) => !step.done);
  if (!next || (away && databases.length > 0) || (proven && kitAsked)) return null;

  return (
    <Section
      title="First steps"
      note={`${done} of ${steps.length} done`}
      actions={
        databases.length > 0 ? (
          <CloseButton size="sm" aria-label="Put the first steps away" onClick={() => setAway(true)} />
        ) : null
      }
    >
      <Panel>
        <ol className={classes.steps}>
          {steps.map((step) => (
            <li key={step.title} data-done={step.done || undefined}>
              <ToneIcon tone={step.done ? "ok" : "unknown"} size={19} label={step.done ? "Done" : "To do"} />
              <div className={classes.attentionWords}>
                <p className={classes.attentionTitle}>{step.title}</p>
                <p className={classes.attentionDetail}>{step.text}</p>
              </div>
              {step === next && step.action ? (
                <Button
                  component={Link}
                  href={step.action.href}
                  variant={databases.length > 0 ? "default" : "filled"}
                >
                  {step.action.label}
                </Button>
              ) : null}
            </li>
          ))}
        </ol>
      </Panel>
    </Section>
  );
}
