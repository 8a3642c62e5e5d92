import { z } from "zod";
import { HoldfastError } from "./errors.ts";

const port = z.coerce.number().int().min(1).max(65535);
const positive = z.coerce.number().int().min(1);
const optionalText = z.string().trim().min(1).optional();

/** Every setting: its shape, default and meaning. docs/settings.md is made from this table. */
export const SETTINGS = {
  HOLDFAST_DATA: {
    shape: z.string().min(1).default("./data"),
    about: "Folder for the embedded Postgres, keys and the local destination.",
  },
  PORT: { shape: port.default(3000), about: "Port of the web process." },
  HOST: { shape: z.string().min(1).default("127.0.0.1"), about: "Address that the web process listens on." },
  HOLDFAST_URL: {
    shape: z.url().optional(),
    about: "Public URL, as people type it. Default: http://localhost:PORT.",
  },
  DATABASE_URL: {
    shape: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    about: "Postgres for Holdfast's own data. Without it the embedded one is started.",
  },
  HOLDFAST_OWNER_DATABASE_URL: {
    shape: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    about: "Role that owns the schema and runs migrations. Default: DATABASE_URL.",
  },
  HOLDFAST_KEYS: {
    shape: optionalText,
    about: "Folder of the key files. Default: HOLDFAST_DATA/keys. Needed with DATABASE_URL.",
  },
  HOLDFAST_POOL: {
    shape: z
      .string()
      .regex(/^[a-z0-9-]{1,63}$/)
      .default("default"),
    about: "Pool that this worker serves.",
  },
  HOLDFAST_WORKER_NAME: {
    shape: optionalText,
    about: "Name of this worker. Default: host name and process id.",
  },
  HOLDFAST_CONCURRENCY: {
    shape: positive.max(64).default(2),
    about: "Operations that one worker runs at once.",
  },
  HOLDFAST_SERVER_CONCURRENCY: {
    shape: positive.max(64).default(2),
    about: "Operations at once against one database server.",
  },
  HOLDFAST_TEMP: {
    shape: optionalText,
    about: "Folder for spools and sandboxes. Default: the system's temporary folder.",
  },
  HOLDFAST_LOCK_WAIT_SECONDS: {
    shape: positive.default(30),
    about: "Longest wait for a table lock before a dump fails.",
  },
  HOLDFAST_DETACH_SECONDS: {
    shape: positive.default(60),
    about:
      "Time without taking data after which a destination is left out of a backup; its copy is made later.",
  },
  HOLDFAST_COMPRESSION_LEVEL: {
    // Higher ones take more memory than a transfer may have.
    shape: positive.max(9).default(1),
    about: "zstd level of new backups, 1 (fast) to 9 (smaller by some percent, several times as slow).",
  },
  HOLDFAST_DIGEST_SECONDS: {
    shape: z.coerce.number().int().min(0).default(600),
    about:
      "Time budget for content digests of one backup; tables beyond it are compared by count. 0: counts only.",
  },
  HOLDFAST_STALL_SECONDS: {
    shape: positive.default(900),
    about:
      "Time without progress after which an operation has failed. A long statement that computes, reads or writes makes progress; one that waits, for a lock for example, makes none.",
  },
  HOLDFAST_ADMIN_EMAIL: {
    shape: z.email().optional(),
    about: "With HOLDFAST_ADMIN_PASSWORD: makes the first account at the first start.",
  },
  HOLDFAST_ADMIN_PASSWORD: {
    shape: z.string().min(12).optional(),
    about: "Password of that account, at least 12 characters.",
  },
  HOLDFAST_ENCRYPTION: { shape: z.enum(["on", "off"]).default("on"), about: "Encrypt artefacts with age." },
  HOLDFAST_TRUST_PROXY: {
    shape: z.enum(["on", "off"]).default("off"),
    about: "Take client addresses from X-Forwarded-For (only behind a proxy of yours).",
  },
  HOLDFAST_INSTALL_TOOLS: {
    shape: z.enum(["on", "off"]).default("on"),
    about: "On Debian as root, npm start installs missing client tools (postgresql-client, bubblewrap).",
  },
  HOLDFAST_LOG_LEVEL: {
    shape: z.enum(["debug", "info", "warn", "error"]).default("info"),
    about: "Least severity that is logged.",
  },
} as const;

type Settings = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]["shape"]> };
export type Env = Settings & { url: URL };

/** Parses all settings at once. Throws `invalid` that names each wrong one and why; empty text counts as unset. */
export function parseEnv(source: Record<string, string | undefined>): Env {
  const shape = Object.fromEntries(Object.entries(SETTINGS).map(([name, { shape }]) => [name, shape]));
  const given = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = z.object(shape).safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new HoldfastError("invalid", `Wrong setting. ${lines.join("; ")}.`, {
      remedy: "Correct it in the environment and start again; docs/settings.md lists all settings.",
    });
  }
  const settings = parsed.data as Settings;
  if ((settings.HOLDFAST_ADMIN_EMAIL === undefined) !== (settings.HOLDFAST_ADMIN_PASSWORD === undefined)) {
    throw new HoldfastError(
      "invalid",
      "HOLDFAST_ADMIN_EMAIL and HOLDFAST_ADMIN_PASSWORD go together; one of them is not set.",
      {
        remedy: "Set both, or neither.",
      },
    );
  }
  return { ...settings, url: new URL(settings.HOLDFAST_URL ?? `http://localhost:${settings.PORT}`) };
}
