import { isDeepStrictEqual } from "node:util";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Destination, Prisma } from "../db/generated/client.ts";
import type { FieldErrors } from "../errors.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { destinationAad } from "../secrets/sealed-columns.ts";
import { sftpSecretSchema } from "../storage/sftp/sftp-schema.ts";
import { destinationSpec } from "./destination-spec.ts";
import { destinationDtos, findDestination, nameTaken } from "./find-destination.ts";
import type { DestinationDto, DestinationKind, UpdateDestinationInput } from "./schema.ts";
import { CONFIGS, PLACE_FIELDS, updateDestinationInput } from "./schema.ts";
import { secretOf } from "./secret-of.ts";
import { tryDestination } from "./try-destination.ts";

/** The setting that says who signs in, and the secret that belongs to it. */
const SIGN_IN: Record<DestinationKind, { who: string; secret: string } | null> = {
  local: null,
  s3: { who: "accessKey", secret: "secretKey" },
  sftp: { who: "user", secret: "password" },
};

type Config = Record<string, unknown>;

/**
 * Renames a destination, or changes how it is signed in to and written. Its place never changes, because copies lie
 * there: another place is another destination. New settings are tried out before they are saved. Throws `invalid`
 * when they don't work or a new user comes without a secret, `conflict` when somebody changed it meanwhile.
 */
export async function updateDestination(
  ctx: Ctx,
  nameOrId: string,
  input: UpdateDestinationInput,
): Promise<DestinationDto> {
  requirePermission(ctx, "destination.write");
  const given = updateDestinationInput.parse(input);
  const before = await findDestination(ctx.db, nameOrId);
  const { id } = before;
  const kind = before.kind as DestinationKind;
  const name = given.name ?? before.name;
  const config = newConfig(before, kind, given.config ?? {});
  const secret = newSecret(before, kind, config, given);
  const changed = secret !== undefined || !isDeepStrictEqual(config, before.config);
  const tested = changed ? await tryOut(ctx, before, config, secret) : null;
  const keyring = await processKeyring();
  await ctx.db.$transaction(async (tx) => {
    const taken = await tx.destination.findUnique({ where: { name } });
    if (taken && taken.id !== id) throw nameTaken(name);
    const { count } = await tx.destination.updateMany({
      where: {
        id,
        name: before.name,
        secretSealed: before.secretSealed,
        config: { equals: before.config ?? {} },
      },
      data: {
        name,
        config: config as Prisma.InputJsonObject,
        ...(secret === undefined ? {} : { secretSealed: keyring.seal(secret, destinationAad(id)) }),
        ...(tested === null
          ? {}
          : {
              checkedAt: ctx.clock.now(),
              checkError: null,
              lacks: tested.lacks,
              freeBytes: tested.freeBytes === null ? null : BigInt(tested.freeBytes),
            }),
      },
    });
    if (count === 0)
      throw new HoldfastError("conflict", "It was changed meanwhile.", { remedy: "Reload it." });
    await emitAudit(tx, ctx, {
      action: "destination.update",
      object: { kind: "destination", id, name },
      before: { name: before.name, config: before.config as Config },
      after: { name, config, ...(secret === undefined ? {} : { signsIn: "with a new secret" }) },
    });
    await emitEvent(tx, "settings", id);
    await emitEvent(tx, "backups");
  });
  const [now] = await destinationDtos(ctx, id);
  if (!now) throw new HoldfastError("not_found", `There is no destination "${name}" any more.`);
  return now;
}

function newConfig(before: Destination, kind: DestinationKind, changes: Config): Config {
  const stored = before.config as Config;
  const merged = Object.entries({ ...stored, ...changes }).filter(([, value]) => value !== null);
  const parsed = CONFIGS[kind].safeParse(Object.fromEntries(merged));
  const fields: FieldErrors = {};
  for (const { path, message } of parsed.error?.issues ?? []) fields[`config.${path.join(".")}`] = message;
  const config = (parsed.data ?? {}) as Config;
  for (const field of parsed.success ? PLACE_FIELDS[kind] : []) {
    if (config[field] !== stored[field])
      fields[`config.${field}`] = "can't be changed, because copies lie there";
  }
  if (Object.keys(fields).length === 0) return config;
  throw new HoldfastError("invalid", "Some fields are not right.", {
    remedy: "For another place add another destination.",
    fields,
  });
}

function newSecret(
  before: Destination,
  kind: DestinationKind,
  config: Config,
  given: UpdateDestinationInput,
): string | undefined {
  const secret = secretOf(kind, given);
  if (secret !== undefined && kind === "sftp") sftpSecretSchema.parse(JSON.parse(secret));
  const signIn = SIGN_IN[kind];
  if (secret !== undefined || !signIn || config[signIn.who] === (before.config as Config)[signIn.who])
    return secret;
  throw new HoldfastError("invalid", "Another user needs a secret of its own.", {
    remedy: "Enter it.",
    fields: { [signIn.secret]: "Enter it again: the stored one belongs to another user." },
  });
}

async function tryOut(ctx: Ctx, before: Destination, config: Config, secret: string | undefined) {
  const install = await ctx.db.install.findFirstOrThrow();
  const stored = destinationSpec(before, await processKeyring());
  return await tryDestination({
    ...stored,
    config,
    secret: secret ?? stored.secret,
    installId: install.id,
  });
}
