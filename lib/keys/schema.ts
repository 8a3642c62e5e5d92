import { z } from "zod";

export const keysSchema = z.object({
  secretKeys: z.array(z.object({ id: z.string(), active: z.boolean(), createdAt: z.string() })),
  /** age recipients that new backups are encrypted to. */
  recipients: z.array(
    z.object({
      recipient: z.string(),
      kind: z.enum(["server", "recovery"]),
      active: z.boolean(),
      createdAt: z.string(),
    }),
  ),
  encryption: z.boolean(),
  recoveryKit: z.object({ addedAt: z.string().nullable(), confirmedAt: z.string().nullable() }),
  offHostCopy: z.boolean(),
});
export type KeysDto = z.infer<typeof keysSchema>;

/** The kit holds the recovery identity; it is shown once and never stored. */
export const recoveryKitSchema = z.object({
  installId: z.string(),
  recipient: z.string(),
  identity: z.string(),
  createdAt: z.string(),
  commands: z.array(z.string()),
});
export type RecoveryKit = z.infer<typeof recoveryKitSchema>;
/** The last 8 characters of the identity, typed back from the printed kit. */
export const confirmKitInput = z.object({ ending: z.string().trim().min(8).max(8) });
