import { createHmac } from "node:crypto";

/** How much of a printed kit is typed back. */
export const ENDING_LENGTH = 8;

/** Digest of an identity's last characters, keyed, so that the database alone does not tell them. */
export function endingDigest(auditKey: Buffer, text: string): string {
  const ending = text.trim().toUpperCase().slice(-ENDING_LENGTH);
  return createHmac("sha256", auditKey).update(`recovery kit ending\n${ending}`).digest("base64url");
}
