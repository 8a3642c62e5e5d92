import { HoldfastError, isHoldfastError, messageOf } from "../../errors.ts";

const SENTENCES: Record<string, (folder: string) => { message: string; remedy: string }> = {
  ENOSPC: (folder) => ({
    message: `The disk under ${folder} is full.`,
    remedy: "Free space there, or choose another destination.",
  }),
  EDQUOT: (folder) => ({
    message: `The disk quota under ${folder} is used up.`,
    remedy: "Free space there, raise the quota, or choose another destination.",
  }),
  EACCES: (folder) => ({
    message: `The worker may not write in ${folder}.`,
    remedy: `Give the worker's user access: chown -R <user> ${folder}`,
  }),
  EPERM: (folder) => ({
    message: `The worker is not permitted to change ${folder}.`,
    remedy: `Give the worker's user access: chown -R <user> ${folder}`,
  }),
  EROFS: (folder) => ({
    message: `${folder} is mounted read-only.`,
    remedy: `Mount it for writing: mount -o remount,rw <mount point of ${folder}>`,
  }),
  EIO: (folder) => ({
    message: `The disk under ${folder} reports read or write errors.`,
    remedy: "Check the disk (dmesg, smartctl) and choose another destination until it is replaced.",
  }),
  EMFILE: (folder) => ({
    message: `Too many files are open to work in ${folder}.`,
    remedy: "Raise the limit of open files of the worker (ulimit -n).",
  }),
};

/** Error code of a file system call, or null. */
export function faultCode(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : null;
}

/** A file system error of a local destination as a sentence with a remedy (`unavailable`). */
export function localFault(error: unknown, folder: string): HoldfastError {
  if (isHoldfastError(error)) return error;
  const sentence = SENTENCES[faultCode(error) ?? ""]?.(folder);
  if (sentence) {
    return new HoldfastError("unavailable", sentence.message, { remedy: sentence.remedy, cause: error });
  }
  return new HoldfastError("unavailable", `The folder ${folder} can't be used: ${messageOf(error)}`, {
    remedy: "Check the folder and its disk on the worker's machine.",
    cause: error,
  });
}
