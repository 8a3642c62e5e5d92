"use client";
/** Registers a database: engine, connection (tested in place if wanted), name. Preflight follows by itself. */
import { Button, Radio } from "@mantine/core";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { useEnvironments } from "@/components/shell/environment-switcher";
import { useEnvironment } from "@/components/shell/use-environment";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, FieldGroup, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import type { ConnectionTest, CreateDatabaseInput, DatabaseDto } from "@/lib/databases/schema";
import { ConnectionTester } from "./connection-test";
import { ConnectionFields, IdentityFields } from "./database-fields";
import classes from "./database-form.module.css";
import { createInputOf, type DatabaseValues, emptyValues, portOf, type TestInput } from "./database-values";

const ENGINES = [
  { value: "postgres", label: "PostgreSQL", text: "13 to 18, by name, address or unix socket" },
  { value: "mariadb", label: "MariaDB", text: "10.5 and later, by name, address or unix socket" },
  { value: "mysql", label: "MySQL", text: "8.0 and later; the worker needs MySQL's own programs" },
  { value: "sqlite", label: "SQLite", text: "A file that a worker can read" },
];

export function RegisterPage({
  create,
  test,
}: {
  create: ServerAction<CreateDatabaseInput, DatabaseDto>;
  test: ServerAction<TestInput, ConnectionTest>;
}) {
  const router = useRouter();
  const environments = useEnvironments();
  const wished = useEnvironment();
  const form = useActionForm<DatabaseValues, CreateDatabaseInput, DatabaseDto>({
    initial: emptyValues(wished ?? ""),
    action: create,
    toInput: createInputOf,
    onDone: (made) => router.push(`/databases/${made.name}`),
  });

  // The first choice is the last rung: most people begin with production.
  const first = environments[0]?.name;
  const { environment } = form.values;
  const setField = form.form.setFieldValue;
  useEffect(() => {
    if (first && !environment) setField("environment", first);
  }, [first, environment, setField]);

  const engineField = form.field("engine");
  /** Whoever has typed a port of their own keeps it. */
  function chooseEngine(engine: string) {
    engineField.onChange(engine);
    const { port } = form.values.connection;
    if (engine !== "sqlite" && ["5432", "3306"].includes(port))
      setField("connection.port", String(portOf(engine as DatabaseValues["engine"])));
  }

  return (
    <>
      <PageHeader
        trail={[{ label: "Databases", href: "/databases" }]}
        title="Register a database"
        facts={[
          "Nothing on it is changed; what is missing is listed with the SQL that you can run yourself.",
        ]}
      />
      <Panel padded>
        <div className={classes.form}>
          <ActionForm
            form={form}
            submitLabel="Register"
            secondary={
              <Button component={Link} href="/databases" variant="default">
                Cancel
              </Button>
            }
          >
            <FieldGroup legend="Engine">
              <Radio.Group aria-label="Engine" {...engineField} onChange={chooseEngine}>
                <div className={classes.engines}>
                  {ENGINES.map((engine) => (
                    <Radio.Card key={engine.value} value={engine.value} className={classes.engine ?? ""}>
                      <span className={classes.engineBody}>
                        <Radio.Indicator />
                        <span>
                          <span className={classes.engineName}>{engine.label}</span>
                          <span className={classes.engineText}>{engine.text}</span>
                        </span>
                      </span>
                    </Radio.Card>
                  ))}
                </div>
              </Radio.Group>
            </FieldGroup>
            <ConnectionFields form={form} />
            <ConnectionTester
              values={form.values}
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
