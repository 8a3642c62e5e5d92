"use client";
/** Edits a registered database. What somebody else saved meanwhile is a conflict, not overwritten. */
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
import { apiGet } from "@/lib/api-client";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { ConnectionTest, DatabaseDto } from "@/lib/databases/schema";
import { ConnectionTester } from "./connection-test";
import { ConnectionFields, IdentityFields } from "./database-fields";
import classes from "./database-form.module.css";
import {
  type DatabaseValues,
  type TestInput,
  type UpdateInput,
  updateInputOf,
  valuesOf,
} from "./database-values";

interface Actions {
  update: ServerAction<{ database: string; change: UpdateInput }, DatabaseDto>;
  test: ServerAction<TestInput, ConnectionTest>;
}

const TRAIL = [{ label: "Databases", href: "/databases" }];

export function EditPage({ name, ...actions }: Actions & { name: string }) {
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: databaseKeys.one(name),
    queryFn: ({ signal }) => apiGet<DatabaseDto>(`databases/${encodeURIComponent(name)}`, {}, signal),
  });
  if (!data) {
    if (error)
      return <UnreadPage what="database" name={name} trail={TRAIL} query={{ error, isFetching, refetch }} />;
    return (
      <>
        <HeaderSkeleton trail={TRAIL} />
        <BlockSkeleton height={620} />
      </>
    );
  }
  // Live updates must not change what is being typed: the form keeps the version it began with.
  return <EditForm key={data.id} database={data} {...actions} />;
}

function EditForm({ database, update, test }: Actions & { database: DatabaseDto }) {
  const router = useRouter();
  const client = useQueryClient();
  const form = useActionForm<DatabaseValues, { database: string; change: UpdateInput }, DatabaseDto>({
    initial: valuesOf(database),
    action: update,
    toInput: (values) => ({ database: database.id, change: updateInputOf(values, database.version) }),
    onDone: (saved) => {
      client.setQueryData(databaseKeys.one(saved.name), saved);
      router.push(`/databases/${saved.name}`);
    },
  });
  const back = `/databases/${database.name}`;
  return (
    <>
      <PageHeader trail={[...TRAIL, { label: database.name, href: back }]} title="Edit its settings" />
      <Panel padded>
        <div className={classes.form}>
          <ActionForm
            form={form}
            submitLabel="Save"
            secondary={
              <Button component={Link} href={back} variant="default">
                Cancel
              </Button>
            }
          >
            <ConnectionFields form={form} hasPassword={database.hasPassword} />
            <ConnectionTester
              values={form.values}
              saved={database.name}
              test={test}
              onFailed={(fields) => form.form.setErrors(fields)}
            />
            <IdentityFields form={form} />
          </ActionForm>
        </div>
      </Panel>
    </>
  );
}
