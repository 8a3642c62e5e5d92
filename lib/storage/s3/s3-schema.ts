import { z } from "zod";

/** Where objects go and how the store wants to be spoken to. The secret key is kept apart, sealed. */
export const s3ConfigSchema = z
  .object({
    /** Of a store that is not Amazon's: "https://s3.eu-central-003.backblazeb2.com". Amazon's own needs none. */
    endpoint: z
      .url({ protocol: /^https?$/, error: "An endpoint looks like https://s3.example.com." })
      .refine((url) => !/[?#@]/.test(url), "Give the address only, without a user, a query or a fragment.")
      .optional(),
    /** "auto" works with stores that have no regions. */
    region: z.string().regex(/^[a-z0-9-]{1,64}$/, "A region looks like eu-central-1, or is auto."),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "3 to 63 lower-case letters, digits, dots and hyphens."),
    /** Folder inside the bucket, "" for all of it. */
    prefix: z
      .string()
      .regex(/^([A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*)?$/, "Names separated by /.")
      .max(500)
      .default(""),
    /** The bucket in the path and not in the host name: most stores on one's own machines. */
    pathStyle: z.boolean().default(false),
    accessKey: z.string().min(1, "Give the access key.").max(256),
    storageClass: z
      .string()
      .regex(/^[A-Z_]{1,40}$/, "A storage class looks like STANDARD_IA.")
      .optional(),
    /** Server-side encryption: the store's own key, or one of its key service. */
    serverSideEncryption: z.enum(["AES256", "aws:kms"]).optional(),
    kmsKeyId: z.string().max(2048).optional(),
    /** Parts that the store takes of one object, where that is fewer than 10,000. */
    maxParts: z.number().int().min(100).max(10_000).optional(),
    /** Objects can't be deleted or replaced for so many days, not even by us; the bucket must allow it. */
    objectLock: z
      .object({ mode: z.enum(["GOVERNANCE", "COMPLIANCE"]), days: z.number().int().min(1).max(36_500) })
      .optional(),
  })
  .refine(({ endpoint, region }) => endpoint !== undefined || region !== "auto", {
    message: "Amazon's buckets have a region of their own: eu-central-1, for example.",
    path: ["region"],
  });
export type S3Config = z.infer<typeof s3ConfigSchema>;

/** Classes whose objects must be thawed for hours before they can be read: a restore could not begin. */
const FROZEN = ["GLACIER", "DEEP_ARCHIVE"];

/** What an admin should know of a configuration that is right otherwise. */
export function s3Warnings(config: S3Config): string[] {
  const warnings: string[] = [];
  if (config.storageClass && FROZEN.includes(config.storageClass)) {
    warnings.push(
      `${config.storageClass} must be thawed for hours before it can be read: nothing there can be proven or restored at once.`,
    );
  }
  if (config.endpoint?.startsWith("http:")) {
    warnings.push("The endpoint is not https: backups are encrypted by themselves, the access is not.");
  }
  return warnings;
}
