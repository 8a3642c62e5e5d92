import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { DestinationDto, DestinationTest } from "../../../lib/destinations/schema.ts";
import type { Page } from "../../../lib/paging.ts";
import type { Cli } from "../cli.ts";
import type { Client } from "../client.ts";
import { segment } from "../client.ts";
import { CliError, EXIT } from "../exit.ts";
import { bytes, print, table } from "../output.ts";

interface AddOptions {
  name: string;
  kind: string;
  folder?: string;
  endpoint?: string;
  region?: string;
  pathStyle?: boolean;
  bucket?: string;
  prefix?: string;
  createBucket?: boolean;
  accessKey?: string;
  secretKeyEnv?: string;
  storageClass?: string;
  serverSideEncryption?: string;
  kmsKey?: string;
  maxParts?: string;
  objectLock?: string;
  objectLockDays?: string;
  host?: string;
  port?: string;
  user?: string;
  hostKey?: string;
  acceptHostKey?: boolean;
  passwordEnv?: string;
  privateKeyFile?: string;
  passphraseEnv?: string;
}

function fromEnvironment(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const value = process.env[variable];
  if (value) return value;
  throw new CliError(EXIT.usage, `The variable ${variable} is not set.`, `Run: export ${variable}=…`);
}

function fromFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch {
    throw new CliError(EXIT.usage, `${file} cannot be read.`);
  }
}

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text));

function s3Body(options: AddOptions): Record<string, unknown> {
  const { objectLock, objectLockDays } = options;
  return {
    config: {
      endpoint: options.endpoint,
      region: options.region ?? "auto",
      bucket: options.bucket,
      prefix: options.prefix,
      pathStyle: options.pathStyle,
      accessKey: options.accessKey,
      storageClass: options.storageClass,
      serverSideEncryption: options.serverSideEncryption,
      kmsKeyId: options.kmsKey,
      maxParts: numberOf(options.maxParts),
      objectLock: objectLock ? { mode: objectLock.toUpperCase(), days: numberOf(objectLockDays) } : undefined,
    },
    secretKey: fromEnvironment(options.secretKeyEnv),
    createBucket: options.createBucket,
  };
}

async function sftpBody(options: AddOptions, client: Client): Promise<Record<string, unknown>> {
  const { host, user, folder } = options;
  const port = numberOf(options.port) ?? 22;
  return {
    config: {
      host,
      port,
      user,
      folder,
      hostKey: options.hostKey ?? (await seenHostKey(options, port, client)),
    },
    password: fromEnvironment(options.passwordEnv),
    privateKey: fromFile(options.privateKeyFile),
    passphrase: fromEnvironment(options.passphraseEnv),
  };
}

/** The key that the server shows now: pinned as it is only when that was asked for. */
async function seenHostKey(
  { host, acceptHostKey }: AddOptions,
  port: number,
  client: Client,
): Promise<string> {
  const { hostKey } = await client.post<{ hostKey: string }>("/destination-host-keys", { host, port });
  if (acceptHostKey) return hostKey;
  throw new CliError(
    EXIT.usage,
    `${host} shows the host key ${hostKey}, which is not pinned yet.`,
    `Compare it with what ssh-keygen -lf shows on that server, then add: --host-key ${hostKey}`,
  );
}

function line({ name, kind, place, lacks, warnings, offHost }: DestinationDto): string {
  const notes = [
    offHost ? "off this host" : "on this host",
    ...(lacks.length > 0 ? [`its credentials can't ${lacks.join(" or ")}`] : []),
  ];
  return [`${name}: ${kind}, ${place}; ${notes.join("; ")}`, ...warnings].join("\n");
}

function stateOf({ archivedAt, checkError, checkedAt, lacks }: DestinationDto): string {
  if (archivedAt) return "archived";
  if (checkError) return checkError;
  if (!checkedAt) return "not tested yet";
  return lacks.length > 0 ? `answers; can't ${lacks.join(" or ")}` : "answers";
}

/** `holdfast destination add|test|list`. */
export function addDestinationCommands(program: Command, cli: Cli): void {
  const destination = program.command("destination").description("where copies of backups live");

  destination
    .command("add")
    .description("add a destination, after writing, reading back, listing and deleting a small object there")
    .requiredOption("--name <name>", "unique name: lower-case letters, digits, hyphens")
    .requiredOption("--kind <kind>", "local, s3 or sftp")
    .option("--folder <folder>", "local, sftp: absolute folder on the worker's machine or the server")
    .option("--endpoint <url>", "s3: of a store that is not Amazon's")
    .option("--region <region>", "s3: of the bucket (default: auto)")
    .option("--path-style", "s3: the bucket stands in the path, not in the host name")
    .option("--bucket <bucket>", "s3: name of the bucket")
    .option("--prefix <folder>", "s3: folder in the bucket")
    .option("--create-bucket", "s3: make the bucket if it is not there")
    .option("--access-key <key>", "s3: access key")
    .option("--secret-key-env <variable>", "s3: take the secret key from this variable")
    .option("--storage-class <class>", "s3: such as STANDARD_IA")
    .option("--server-side-encryption <how>", "s3: AES256 or aws:kms")
    .option("--kms-key <id>", "s3: key of the store's key service")
    .option("--max-parts <n>", "s3: parts that the store takes of one object, if fewer than 10000")
    .option("--object-lock <mode>", "s3: governance or compliance; with --object-lock-days")
    .option("--object-lock-days <n>", "s3: days for which objects can't be deleted, not even by Holdfast")
    .option("--host <host>", "sftp: name or address of the server")
    .option("--port <port>", "sftp: its port (default: 22)")
    .option("--user <user>", "sftp: who signs in")
    .option("--host-key <fingerprint>", "sftp: the server's key as ssh-keygen -l shows it, SHA256:…")
    .option("--accept-host-key", "sftp: pin the key that the server shows now, without comparing it")
    .option("--password-env <variable>", "sftp: take the password from this variable")
    .option("--private-key-file <file>", 'sftp: private key in OpenSSH or PEM format; "-" is standard input')
    .option("--passphrase-env <variable>", "sftp: take the key's passphrase from this variable")
    .action(async (options: AddOptions) => {
      const client = cli.client();
      const { name, kind } = options;
      const body =
        kind === "s3"
          ? s3Body(options)
          : kind === "sftp"
            ? await sftpBody(options, client)
            : { config: { folder: options.folder } };
      print(cli.json, await client.post<DestinationDto>("/destinations", { name, kind, ...body }), line);
    });

  destination
    .command("test <name>")
    .description("write, read back, list and delete a small object there; exit 1 when that fails")
    .option("--wait", "it is always waited for; for scripts that pass it everywhere")
    .action(async (name: string) => {
      const result = await cli.client().post<DestinationTest>(`/destinations/${segment(name)}/test`);
      print(cli.json, result, ({ message }) => message);
      if (!result.ok) cli.exitCode = EXIT.failed;
    });

  destination
    .command("list")
    .description("all destinations, with what lies there")
    .action(async () => {
      const page = await cli.client().get<Page<DestinationDto>>("/destinations");
      print(cli.json, page, ({ items }) =>
        table(
          ["name", "kind", "place", "copies", "used", "free", "off host", "state"],
          items.map((item) => [
            item.name,
            item.kind,
            item.place,
            String(item.copies),
            bytes(item.usedBytes),
            bytes(item.freeBytes),
            item.offHost ? "yes" : "no",
            stateOf(item),
          ]),
        ),
      );
    });
}
