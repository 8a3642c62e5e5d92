import type { Readable } from "node:stream";
import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { confirmPassword } from "../auth/confirm-password.ts";
import type { Ctx } from "../context.ts";
import { destinationSpec } from "../destinations/destination-spec.ts";
import { readableCopies } from "../destinations/readable-copies.ts";
import { HoldfastError } from "../errors.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { storageFor } from "../storage/registry.ts";
import { CopyReader } from "../transfer/copy-reader.ts";
import { findBackup, requireKept } from "./find-backup.ts";
import { manifestSchema } from "./manifest.ts";
import { downloadArtefactQuery } from "./schema.ts";

export interface DownloadInput {
  backup: string;
  /** "dump", "globals", or the file's name. */
  artefact: string;
  query: z.input<typeof downloadArtefactQuery>;
  /** The signed-in person's password, typed again; tokens have none. */
  confirmPassword: string | null;
}

export interface Download {
  fileName: string;
  /** Null where the length is not known before the end. */
  bytes: number | null;
  stream: Readable;
}

/**
 * One artefact, as it is stored or as what was dumped. Admins only; a person types the password again; audited
 * before the first byte. A fault on the way destroys the stream, so that no cut file looks whole.
 */
export async function downloadArtefact(ctx: Ctx, input: DownloadInput): Promise<Download> {
  const backup = await findBackup(ctx, ctx.db, input.backup, "backup.download");
  const query = downloadArtefactQuery.parse(input.query);
  requireKept(backup);
  if (ctx.actor.kind === "user") await requirePassword(ctx, input.confirmPassword);
  const stored = await ctx.db.backupManifest.findUnique({ where: { backupId: backup.id } });
  const manifest = stored ? manifestSchema.parse(JSON.parse(stored.text)) : null;
  const artefact = manifest?.artefacts.find(
    ({ name, file }) => name === input.artefact || file === input.artefact,
  );
  if (!stored || !manifest || !artefact) {
    throw new HoldfastError("not_found", `This backup has no artefact "${input.artefact.slice(0, 60)}".`);
  }
  const copy = readableCopies(backup.copies).find(
    ({ state, destination }) =>
      state === "stored" && (query.destination === undefined || destination.name === query.destination),
  );
  if (!copy) {
    throw new HoldfastError("not_found", "There is no stored copy of it there that can be read.", {
      remedy: "Choose another destination, or verify the backup again.",
    });
  }
  const keyring = await processKeyring();
  const storage = storageFor({
    ...destinationSpec(copy.destination, keyring),
    installId: manifest.installId,
  });
  await ctx.db.$transaction((tx) =>
    emitAudit(tx, ctx, {
      action: "backup.download",
      object: { kind: "backup", id: backup.id, name: backup.database.name },
      after: { artefact: artefact.file, as: query.as, destination: copy.destination.name },
    }),
  );
  if (query.as === "stored") {
    const stream = await storage.read(`${copy.path}/${artefact.file}`);
    return { fileName: artefact.file, bytes: artefact.bytes, stream };
  }
  const source = { path: copy.path, manifestText: stored.text, identities: keyring.identities() };
  const reader = new CopyReader(storage, source, manifest);
  const stream = await reader.open(artefact.name);
  return {
    fileName: artefact.file.replace(/\.zst(\.age)?$/, ""),
    bytes: artefact.plainBytes,
    stream,
  };
}

async function requirePassword(ctx: Ctx, password: string | null): Promise<void> {
  if (password) {
    await confirmPassword(ctx, password, "confirmPassword");
    return;
  }
  throw new HoldfastError("invalid", "Downloading an artefact asks for your password again.", {
    remedy: "Send it as the header x-confirm-password.",
    fields: { confirmPassword: "type your password" },
  });
}
