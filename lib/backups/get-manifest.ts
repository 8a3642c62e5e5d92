import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { findBackup } from "./find-backup.ts";

/** The manifest's text as it was published, byte for byte. Throws `not_found` where none was published. */
export async function getManifest(ctx: Ctx, backupId: string): Promise<string> {
  const backup = await findBackup(ctx, ctx.db, backupId, "read");
  const manifest = await ctx.db.backupManifest.findUnique({ where: { backupId: backup.id } });
  if (manifest) return manifest.text;
  throw new HoldfastError("not_found", "This backup has no manifest: it was not finished.", {
    remedy: "Look at the reason on the backup's page and run it again.",
  });
}
