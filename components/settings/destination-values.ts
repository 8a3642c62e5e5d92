import type {
  CreateDestinationInput,
  DestinationDto,
  DestinationKind,
  UpdateDestinationInput,
} from "@/lib/destinations/schema";

/** What stands in the form: texts, of which each kind uses its own. */
export interface DestinationValues extends Record<string, unknown> {
  name: string;
  kind: DestinationKind;
  config: {
    folder: string;
    endpoint: string;
    region: string;
    bucket: string;
    prefix: string;
    pathStyle: boolean;
    accessKey: string;
    storageClass: string;
    serverSideEncryption: string;
    kmsKeyId: string;
    maxParts: string;
    objectLock: { mode: string; days: string };
    host: string;
    port: string;
    user: string;
    hostKey: string;
  };
  createBucket: boolean;
  secretKey: string;
  /** How an SFTP user signs in. */
  signIn: "key" | "password";
  password: string;
  privateKey: string;
  passphrase: string;
}

const EMPTY: DestinationValues = {
  name: "",
  kind: "local",
  config: {
    folder: "",
    endpoint: "",
    region: "",
    bucket: "",
    prefix: "",
    pathStyle: false,
    accessKey: "",
    storageClass: "",
    serverSideEncryption: "",
    kmsKeyId: "",
    maxParts: "",
    objectLock: { mode: "", days: "" },
    host: "",
    port: "22",
    user: "",
    hostKey: "",
  },
  createBucket: false,
  secretKey: "",
  signIn: "key",
  password: "",
  privateKey: "",
  passphrase: "",
};

/** The form of a new destination, or of one that is there; secrets are never in it. */
export function valuesOf(row: DestinationDto | null): DestinationValues {
  if (!row) return structuredClone(EMPTY);
  const config = structuredClone(EMPTY.config);
  const lock = row.config.objectLock as { mode: string; days: number } | undefined;
  for (const name of Object.keys(config) as (keyof typeof config)[]) {
    const value = row.config[name];
    if (value === undefined || name === "objectLock") continue;
    Object.assign(config, { [name]: name === "pathStyle" ? value === true : String(value) });
  }
  if (lock) config.objectLock = { mode: lock.mode, days: String(lock.days) };
  return { ...structuredClone(EMPTY), name: row.name, kind: row.kind, config };
}

/** An empty text is a setting that is not there. */
function given(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed === "" ? undefined : trimmed;
}

function numberOf(text: string): number | undefined {
  return given(text) === undefined ? undefined : Number(text);
}

function s3Config({ config }: DestinationValues) {
  const { objectLock } = config;
  return {
    endpoint: given(config.endpoint),
    region: config.region.trim(),
    bucket: config.bucket.trim(),
    prefix: config.prefix.trim().replaceAll(/^\/+|\/+$/g, ""),
    pathStyle: config.pathStyle,
    accessKey: config.accessKey.trim(),
    storageClass: given(config.storageClass),
    serverSideEncryption: given(config.serverSideEncryption) as "AES256" | undefined,
    kmsKeyId: config.serverSideEncryption === "aws:kms" ? given(config.kmsKeyId) : undefined,
    maxParts: numberOf(config.maxParts),
    objectLock: objectLock.mode
      ? { mode: objectLock.mode as "GOVERNANCE", days: Number(objectLock.days) }
      : undefined,
  };
}

function sftpConfig({ config }: DestinationValues) {
  return {
    host: config.host.trim(),
    port: Number(config.port),
    user: config.user.trim(),
    folder: config.folder.trim(),
    hostKey: config.hostKey.trim(),
  };
}

function sftpSecret({ signIn, password, privateKey, passphrase }: DestinationValues) {
  if (signIn === "password") return { password: given(password) && password };
  if (given(privateKey) === undefined) return {};
  return { privateKey: `${privateKey.trim()}\n`, passphrase: passphrase === "" ? undefined : passphrase };
}

export function createInputOf(values: DestinationValues): CreateDestinationInput {
  const { name, kind } = values;
  switch (kind) {
    case "local":
      return { name, kind, config: { folder: values.config.folder.trim() } };
    case "s3":
      return {
        name,
        kind,
        config: s3Config(values),
        secretKey: values.secretKey,
        createBucket: values.createBucket,
      };
    case "sftp":
      return { name, kind, config: sftpConfig(values), ...sftpSecret(values) };
  }
}

/** Everything that may change; a setting that was emptied goes. */
export function updateInputOf(values: DestinationValues): UpdateDestinationInput {
  const { name, kind } = values;
  if (kind === "local") return { name };
  const config = kind === "s3" ? s3Config(values) : sftpConfig(values);
  const changes = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, value ?? null]));
  if (kind === "sftp") return { name, config: changes, ...sftpSecret(values) };
  return { name, config: changes, secretKey: values.secretKey === "" ? undefined : values.secretKey };
}
