import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { secretHash } from "./resolve-token.ts";

const PERIOD_SECONDS = 30;
/** One step before and one after now (RFC 6238, 5.2: network delay and a slow typist). */
const WINDOW = 1;
const RECOVERY_CODES = 10;

/** The columns of an account without a second factor. */
export const NO_TOTP = {
  totpSecretSealed: null,
  totpEnabledAt: null,
  totpLastStep: null,
  recoveryCodeHashes: [],
};

/** Names the row that a TOTP secret is sealed for. */
export function totpAad(userId: string): string {
  return `user:${userId}:totp`;
}

/** A new secret of 160 bits (RFC 4226, 4: R6) in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** RFC 6238 with SHA-1, 6 digits, 30 s: what every authenticator app understands. */
export function totpOf(secret: string, email: string): TOTP {
  return new TOTP({
    issuer: "Holdfast",
    label: email,
    algorithm: "SHA1",
    digits: 6,
    period: PERIOD_SECONDS,
    secret: Secret.fromBase32(secret),
  });
}

/** The time step that the code belongs to, or null when it is wrong. */
export function totpStep(secret: string, code: string, now: Date): bigint | null {
  const timestamp = now.getTime();
  const delta = totpOf(secret, "account").validate({ token: code, timestamp, window: WINDOW });
  return delta === null ? null : BigInt(Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta);
}

/** Ten codes of 80 random bits each, in base32 groups of four, and what is stored of them. */
export function newRecoveryCodes(): { codes: string[]; hashes: string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => {
    const text = new Secret({ buffer: new Uint8Array(randomBytes(10)).buffer }).base32.toLowerCase();
    return (text.match(/.{4}/g) ?? []).join("-");
  });
  return { codes, hashes: codes.map((code) => secretHash(plainRecoveryCode(code))) };
}

function plainRecoveryCode(code: string): string {
  return code.toLowerCase().replaceAll(/[\s-]/g, "");
}

export interface SecondFactorOwner {
  id: string;
  totpSecretSealed: string | null;
  totpEnabledAt: Date | null;
}

/**
 * Accepts a TOTP code whose step was not used before, or a recovery code, and spends it in the caller's
 * transaction; of two that come at once with the same code one wins. Does nothing for accounts without a
 * second factor. Otherwise throws what `refuse` makes.
 */
export async function spendSecondFactor(
  tx: Tx,
  base: Omit<Ctx, "actor">,
  user: SecondFactorOwner,
  code: string,
  refuse: () => Error,
): Promise<void> {
  if (!user.totpEnabledAt || !user.totpSecretSealed) return;
  if (/^\d{6}$/.test(code)) {
    const keyring = await processKeyring();
    const secret = keyring.open(user.totpSecretSealed, totpAad(user.id));
    const step = totpStep(secret, code, base.clock.now());
    if (step === null || !(await spendStep(tx, user.id, step))) throw refuse();
    return;
  }
  if (!(await spendRecoveryCode(tx, user.id, code))) throw refuse();
}

/** Conditional update: true only for the first use of this step or a later one. */
export async function spendStep(tx: Tx, userId: string, step: bigint): Promise<boolean> {
  const { count } = await tx.user.updateMany({
    where: { id: userId, OR: [{ totpLastStep: null }, { totpLastStep: { lt: step } }] },
    data: { totpLastStep: step },
  });
  return count === 1;
}

async function spendRecoveryCode(tx: Tx, userId: string, code: string): Promise<boolean> {
  const hash = secretHash(plainRecoveryCode(code));
  const count = await tx.$executeRaw`
    UPDATE user_account SET recovery_code_hashes = array_remove(recovery_code_hashes, ${hash})
     WHERE id = ${userId}::uuid AND ${hash} = ANY (recovery_code_hashes)`;
  return count === 1;
}
