import type { FieldErrors } from "../errors.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";
import { type StorageSpec, storageFor } from "../storage/registry.ts";
import type { StorageTest } from "../storage/storage.ts";

/** The setting that a fault is about when it does not say so itself. */
const MAIN_FIELD: Record<string, string> = {
  local: "config.folder",
  s3: "config.bucket",
  sftp: "config.host",
};

/**
 * Prepares a destination that is about to be saved, and writes, reads back, lists and deletes a small object there.
 * Throws `invalid` with the reason beside the setting it is about when nothing can be written.
 */
export async function tryDestination(
  spec: StorageSpec,
  how: { createRoot?: boolean } = {},
): Promise<StorageTest> {
  try {
    const storage = storageFor(spec);
    await storage.init(how);
    return await storage.test();
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    const fields: FieldErrors = error.fields ?? { [MAIN_FIELD[spec.kind] ?? "name"]: error.message };
    throw new HoldfastError("invalid", error.message, {
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      fields,
      cause: error,
    });
  }
}
