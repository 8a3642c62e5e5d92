"use client";
import { NativeSelect, PasswordInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useEnvironments } from "@/components/shell/environment-switcher";
import { FieldGroup, FieldRow, type useActionForm } from "@/components/ui/form";
import { parseDatabaseUrl, proposeName } from "./database-url";
import { type DatabaseValues, portOf } from "./database-values";

const TLS = [
  { value: "disable", label: "Off" },
  { value: "prefer", label: "If the server offers it" },
  { value: "require", label: "Required, certificate not checked" },
  { value: "verify-ca", label: "Required, authority checked" },
  { value: "verify-full", label: "Required, authority and name checked" },
];

export type DatabaseFormState = ReturnType<typeof useActionForm<DatabaseValues, unknown, unknown>>;
type Fields = Pick<DatabaseFormState, "field" | "values" | "form">;

/** Where it is: fields by engine; a pasted URL fills them. */
export function ConnectionFields({ form, hasPassword = false }: { form: Fields; hasPassword?: boolean }) {
  const { field, values } = form;
  if (values.engine === "sqlite") {
    return (
      <FieldGroup legend="Where it is">
        <TextInput
          label="File"
          description="Absolute path on the worker's machine."
          placeholder="/var/lib/kiosk/kiosk.db"
          spellCheck={false}
          {...field("connection.file")}
        />
      </FieldGroup>
    );
  }
  const checked = values.connection.tls.startsWith("verify");
  return (
    <FieldGroup legend="Where it is">
      <PastedUrl form={form} />
      <FieldRow>
        <TextInput
          label="Server"
          placeholder="db.example.internal"
          spellCheck={false}
          {...field("connection.host")}
        />
        <TextInput label="Port" inputMode="numeric" maxLength={5} {...field("connection.port")} />
        <TextInput label="Database" spellCheck={false} {...field("connection.database")} />
      </FieldRow>
      <FieldRow>
        <TextInput label="User" autoComplete="off" spellCheck={false} {...field("connection.user")} />
        <PasswordInput
          label="Password"
          autoComplete="new-password"
          {...(hasPassword ? { placeholder: "Unchanged", description: "Empty keeps the stored one." } : {})}
          {...field("password")}
        />
        <NativeSelect label="TLS" data={TLS} {...field("connection.tls")} />
      </FieldRow>
      {checked ? (
        <Textarea
          label="Certificate of the authority"
          description="PEM. Empty: the system's own list."
          placeholder="-----BEGIN CERTIFICATE-----"
          maxRows={8}
          spellCheck={false}
          {...field("connection.ca")}
        />
      ) : null}
    </FieldGroup>
  );
}

function PastedUrl({ form: { form, values } }: { form: Fields }) {
  const [pasted, setPasted] = useState("");
  const [wrong, setWrong] = useState(false);
  const example = `${values.engine}://user:password@host:${portOf(values.engine)}/name`;

  function take(text: string) {
    const parts = parseDatabaseUrl(text);
    if (!parts || (parts.engine === "postgres") !== (values.engine === "postgres")) {
      setPasted(text);
      setWrong(text.trim().length > 12);
      return;
    }
    const { password, tls, port, engine: _engine, ...where } = parts;
    const kept = values.connection;
    form.setFieldValue("connection", { ...kept, ...where, port: String(port), tls: tls ?? kept.tls });
    if (password) form.setFieldValue("password", password);
    if (!values.name) form.setFieldValue("name", proposeName(parts.database, values.environment));
    setPasted("");
    setWrong(false);
  }
  return (
    <TextInput
      label="Paste a URL"
      description="Fills the fields below; it is not kept."
      placeholder={example}
      autoComplete="off"
      spellCheck={false}
      value={pasted}
      onChange={(event) => take(event.currentTarget.value)}
      error={wrong ? `This does not look like ${example}.` : undefined}
    />
  );
}

/** What it is called and to whom it belongs. */
export function IdentityFields({ form }: { form: Fields }) {
  const { field, values } = form;
  const environments = useEnvironments();
  return (
    <FieldGroup legend="What it is">
      <FieldRow>
        <TextInput
          label="Name"
          description="Lower-case letters, digits, hyphens."
          placeholder="shop-production"
          spellCheck={false}
          {...field("name")}
        />
        <NativeSelect
          label="Environment"
          description="Its rung on the way to production."
          data={environments.map(({ name, protected: guarded }) => ({
            value: name,
            label: guarded ? `${name} (protected)` : name,
          }))}
          {...field("environment")}
        />
        <TextInput
          label="Application"
          description="Empty: the name without its environment."
          placeholder={values.name.replace(new RegExp(`-${values.environment}$`), "") || "shop"}
          spellCheck={false}
          {...field("application")}
        />
      </FieldRow>
      <FieldRow>
        <TextInput label="Owner" description="Team or person to ask." {...field("owner")} />
        <TextInput label="Tags" description="Separated by commas." {...field("tags")} />
        <TextInput label="Worker pool" description="Workers near it." spellCheck={false} {...field("pool")} />
      </FieldRow>
      <Textarea label="Note" {...field("note")} />
    </FieldGroup>
  );
}
