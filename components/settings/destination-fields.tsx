"use client";
/** The fields of each kind of destination. Of one that is there, the place stands still: copies lie in it. */
import {
  Button,
  Checkbox,
  NativeSelect,
  PasswordInput,
  SegmentedControl,
  Textarea,
  TextInput,
} from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { FieldGroup, FieldRow, FormBanner, type useActionForm } from "@/components/ui/form";
import { useAction } from "@/components/ui/use-action";
import type { DestinationValues } from "./destination-values";
import classes from "./settings.module.css";

type Form = Pick<
  ReturnType<typeof useActionForm<DestinationValues, unknown, unknown>>,
  "field" | "values" | "form"
>;
export type ReadHostKey = ServerAction<{ host: string; port: number }, { hostKey: string }>;
interface Props {
  form: Form;
  /** It is there already. */
  saved: boolean;
}

const STORES_OWN = [
  { value: "", label: "As the bucket does" },
  { value: "AES256", label: "The store's own key (AES256)" },
  { value: "aws:kms", label: "A key of its key service (aws:kms)" },
];
const LOCKS = [
  { value: "", label: "Off" },
  { value: "GOVERNANCE", label: "Governance" },
  { value: "COMPLIANCE", label: "Compliance" },
];
const KEPT = { placeholder: "Unchanged", description: "Empty keeps the stored one." };

export function LocalFields({ form: { field }, saved }: Props) {
  return (
    <TextInput
      label="Folder"
      description="Absolute path on the worker's machine."
      placeholder="/var/backups/holdfast"
      spellCheck={false}
      disabled={saved}
      {...field("config.folder")}
    />
  );
}

export function S3Fields({ form, saved }: Props) {
  const { field, values } = form;
  return (
    <>
      <FieldGroup legend="Where it is">
        <TextInput
          label="Endpoint"
          description="Of a store that is not Amazon's. Empty for Amazon S3."
          placeholder="https://s3.eu-central-003.backblazeb2.com"
          spellCheck={false}
          disabled={saved}
          {...field("config.endpoint")}
        />
        <FieldRow>
          <TextInput
            label="Region"
            description="Or auto."
            placeholder="eu-central-1"
            spellCheck={false}
            disabled={saved}
            {...field("config.region")}
          />
          <TextInput
            label="Bucket"
            description="Its name."
            spellCheck={false}
            disabled={saved}
            {...field("config.bucket")}
          />
          <TextInput
            label="Folder in it"
            description="Empty for all of it."
            spellCheck={false}
            disabled={saved}
            {...field("config.prefix")}
          />
        </FieldRow>
        <Checkbox
          label="Path style: the bucket stands in the path, not in the host name"
          {...form.form.getInputProps("config.pathStyle", { type: "checkbox" })}
        />
        {saved ? null : (
          <Checkbox
            label="Make the bucket if it is not there"
            {...form.form.getInputProps("createBucket", { type: "checkbox" })}
          />
        )}
      </FieldGroup>
      <FieldGroup legend="Who signs in">
        <FieldRow>
          <TextInput
            label="Access key"
            autoComplete="off"
            spellCheck={false}
            {...field("config.accessKey")}
          />
          <PasswordInput
            label="Secret key"
            autoComplete="new-password"
            {...(saved ? KEPT : {})}
            {...field("secretKey")}
          />
        </FieldRow>
      </FieldGroup>
      <FieldGroup legend="How objects are stored">
        <FieldRow>
          <TextInput
            label="Storage class"
            placeholder="STANDARD_IA"
            spellCheck={false}
            {...field("config.storageClass")}
          />
          <NativeSelect
            label="Encryption there"
            data={STORES_OWN}
            {...field("config.serverSideEncryption")}
          />
          {values.config.serverSideEncryption === "aws:kms" ? (
            <TextInput label="Key id" spellCheck={false} {...field("config.kmsKeyId")} />
          ) : null}
        </FieldRow>
        <FieldRow>
          <NativeSelect label="Object lock" data={LOCKS} {...field("config.objectLock.mode")} />
          {values.config.objectLock.mode === "" ? null : (
            <TextInput label="Locked for days" inputMode="numeric" {...field("config.objectLock.days")} />
          )}
          <TextInput
            label="Parts per object"
            placeholder="10000"
            inputMode="numeric"
            {...field("config.maxParts")}
          />
        </FieldRow>
      </FieldGroup>
    </>
  );
}

export function SftpFields({ form, saved, readHostKey }: Props & { readHostKey: ReadHostKey }) {
  const { field, values } = form;
  return (
    <>
      <FieldGroup legend="Where it is">
        <FieldRow>
          <TextInput
            label="Server"
            placeholder="backup.example.internal"
            spellCheck={false}
            disabled={saved}
            {...field("config.host")}
          />
          <TextInput
            label="Port"
            inputMode="numeric"
            maxLength={5}
            disabled={saved}
            {...field("config.port")}
          />
        </FieldRow>
        <TextInput
          label="Folder"
          description="Absolute path on that server; it is made if it is not there."
          placeholder="/backups/holdfast"
          spellCheck={false}
          disabled={saved}
          {...field("config.folder")}
        />
        <HostKey form={form} readHostKey={readHostKey} />
      </FieldGroup>
      <FieldGroup legend="Who signs in">
        <TextInput label="User" autoComplete="off" spellCheck={false} {...field("config.user")} />
        <SegmentedControl
          aria-label="How the user signs in"
          data={[
            { value: "key", label: "With a private key" },
            { value: "password", label: "With a password" },
          ]}
          {...field("signIn")}
        />
        {values.signIn === "password" ? (
          <PasswordInput
            label="Password"
            autoComplete="new-password"
            {...(saved ? KEPT : {})}
            {...field("password")}
          />
        ) : (
          <>
            <Textarea
              label="Private key"
              description={saved ? KEPT.description : "OpenSSH or PEM format."}
              placeholder="-----BEGIN OPENSSH PRIVATE KEY-----"
              minRows={3}
              maxRows={8}
              spellCheck={false}
              autoComplete="off"
              {...field("privateKey")}
              error={field("privateKey").error ?? field("password").error}
            />
            <PasswordInput
              label="Passphrase of the key"
              description="Empty if it has none."
              autoComplete="new-password"
              {...field("passphrase")}
            />
          </>
        )}
      </FieldGroup>
    </>
  );
}

/** Read from the server, compared by a person, and then pinned. */
function HostKey({ form, readHostKey }: { form: Form; readHostKey: ReadHostKey }) {
  const { run, pending, failure } = useAction(readHostKey);
  const { host, port } = form.values.config;
  async function read() {
    const answer = await run({ host: host.trim(), port: Number(port) });
    if (answer) form.form.setFieldValue("config.hostKey", answer.hostKey);
  }
  return (
    <>
      <TextInput
        label="Host key"
        description="Compare it on the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub (or rsa, ecdsa). Nothing is sent to a server that shows another."
        placeholder="SHA256:…"
        spellCheck={false}
        {...form.field("config.hostKey")}
      />
      <div className={classes.buttons}>
        <Button variant="default" size="xs" loading={pending} onClick={() => void read()}>
          Read it from the server
        </Button>
      </div>
      <FormBanner failure={failure} title="The key could not be read" />
    </>
  );
}
