"use client";
/**
 * Restores a backup in three steps: where to, what that means, and go. A new database is the default; replacing
 * one asks for its name and says what is lost.
 */
import { Button, Checkbox, NativeSelect, Radio, Stepper, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { useDatabaseNames } from "@/components/ui/database-names";
import { FieldGroup, FormBanner, SubmitButton, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
import { apiGet } from "@/lib/api-client";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupDto } from "@/lib/backups/schema";
import { formatDay, formatMoment } from "@/lib/format";
import type { OperationItem } from "@/lib/operations/schema";
import { RestoreReview } from "./restore-review";
import { checkTarget, type RestoreInput, type RestoreValues, toRestoreInput } from "./restore-values";
import classes from "./restore-wizard.module.css";

export type RestoreBackup = ServerAction<{ backup: string } & RestoreInput, OperationItem>;

const TRAIL = [{ label: "Backups", href: "/backups" }];

export function RestoreWizard({ id, restore }: { id: string; restore: RestoreBackup }) {
  const query = useQuery({
    queryKey: backupKeys.one(id),
    queryFn: ({ signal }) => apiGet<BackupDto>(`backups/${id}`, {}, signal),
  });
  if (!query.data) {
    if (query.error) return <UnreadPage what="backup" trail={TRAIL} query={query} />;
    return (
      <>
        <HeaderSkeleton trail={TRAIL} />
        <BlockSkeleton height={480} />
      </>
    );
  }
  return <Wizard backup={query.data} restore={restore} />;
}

function suggestedName(backup: BackupDto): string {
  const day = backup.createdAt.slice(0, 10).replaceAll("-", "");
  return `${backup.database.replaceAll("-", "_")}_${day}`;
}

function Wizard({ backup, restore }: { backup: BackupDto; restore: RestoreBackup }) {
  const router = useRouter();
  const [step, setStep] = useState(0);
  const databases = useDatabaseNames().filter(({ engine }) => engine === backup.engine);
  const form = useActionForm({
    initial: {
      kind: "new",
      on: backup.database,
      name: suggestedName(backup),
      register: false,
      database: "",
      confirm: "",
      endSessions: false,
      jobs: 2,
    } as RestoreValues,
    action: restore,
    toInput: (values) => ({ backup: backup.id, ...toRestoreInput(values) }),
    check: (values) => checkTarget(values, true),
    onDone: (operation: OperationItem) => router.push(`/operations/${operation.id}`),
  });
  const { values } = form;
  const over = values.kind === "over";

  function toReview() {
    const wrong = checkTarget(values, false);
    if (Object.keys(wrong).length > 0)
      form.fail({ code: "invalid", message: "Some fields need another look.", fields: wrong });
    else setStep(1);
  }

  return (
    <>
      <PageHeader
        trail={[
          ...TRAIL,
          { label: backup.database, href: `/databases/${backup.database}` },
          { label: `Backup of ${formatDay(backup.createdAt.slice(0, 10))}`, href: `/backups/${backup.id}` },
        ]}
        title={`Restore ${backup.database} as it was on ${formatMoment(new Date(backup.createdAt), "UTC")} UTC.`}
        facts={[
          "What is restored is compared with the manifest, table by table, before anything is replaced",
        ]}
      />
      <Stepper
        active={step}
        onStepClick={(target) => target < step && setStep(target)}
        size="sm"
        className={classes.steps}
      >
        <Stepper.Step label="Where to" />
        <Stepper.Step label={over ? "Confirm" : "Review"} />
      </Stepper>
      <Panel padded>
        <form
          ref={form.element}
          noValidate
          className={classes.form}
          onSubmit={(event) => void form.submit(event)}
        >
          {step === 0 ? (
            <>
              <Radio.Group label="Restore into" {...form.field("kind")}>
                <div className={classes.choices}>
                  <Radio.Card value="new" className={classes.choice}>
                    <strong>A new database</strong>
                    <span>Nothing that exists is touched.</span>
                  </Radio.Card>
                  <Radio.Card value="over" className={classes.choice}>
                    <strong>Over an existing database</strong>
                    <span>Its data is replaced, after a safety backup of it.</span>
                  </Radio.Card>
                </div>
              </Radio.Group>
              {over ? (
                <NativeSelect
                  label="Database to replace"
                  data={[{ value: "", label: "Choose…" }, ...databases]}
                  {...form.field("database")}
                />
              ) : (
                <FieldGroup legend="New database">
                  <NativeSelect
                    label="On the server of"
                    description="A registered database; the new one is made beside it."
                    data={[{ value: "", label: "Choose…" }, ...databases]}
                    {...form.field("on")}
                  />
                  <TextInput label="Name of the new database" {...form.field("name")} />
                  <Checkbox
                    label="Register it in Holdfast, too"
                    {...form.field("register", { type: "checkbox" })}
                  />
                </FieldGroup>
              )}
              <NativeSelect
                label="Parallel jobs"
                description="More is faster on a server with idle cores, and needs room for a spool file."
                data={["1", "2", "4", "8", "16"]}
                value={String(form.values.jobs)}
                onChange={(event) => form.form.setFieldValue("jobs", Number(event.currentTarget.value))}
              />
              <FormBanner failure={form.failure} title="Not yet" />
              <div className={classes.actions}>
                <Button onClick={toReview}>Continue</Button>
              </div>
            </>
          ) : (
            <>
              <RestoreReview backup={backup} values={values} />
              {over ? (
                <>
                  <Checkbox
                    label="End other sessions on it"
                    description="Without this, the restore is refused while anything else is connected."
                    {...form.field("endSessions", { type: "checkbox" })}
                  />
                  <TextInput
                    label={`Type ${values.database} to replace it`}
                    autoComplete="off"
                    spellCheck={false}
                    {...form.field("confirm")}
                  />
                </>
              ) : null}
              <FormBanner failure={form.failure} title="The restore was not started" />
              <div className={classes.actions}>
                <SubmitButton pending={form.pending} danger={over}>
                  {over ? `Replace ${values.database}` : `Restore into ${values.name}`}
                </SubmitButton>
                <Button variant="default" onClick={() => setStep(0)}>
                  Back
                </Button>
              </div>
            </>
          )}
        </form>
      </Panel>
    </>
  );
}
