import { emitAudit } from "../audit/emit.ts";
import type { Actor, Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { User } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { newId } from "../ids.ts";
import { addressGroup } from "./client-address.ts";
import { hashPassword, pretendVerify, verifyPassword } from "./passwords.ts";
import { SESSION_DAYS } from "./resolve-session.ts";
import { spendSecondFactor } from "./second-factor.ts";
import type { ThrottleKey } from "./throttle.ts";
import { countTry, forgiveTry } from "./throttle.ts";

export interface SignInInput {
  email: string;
  password: string;
  /** TOTP or recovery code; empty for accounts without one. */
  code?: string | undefined;
  userAgent?: string | undefined;
}

export interface SignedIn {
  userId: string;
  name: string;
  email: string;
  sessionId: string;
}

/**
 * Checks e-mail, password and code together and opens a session. Whatever is wrong, the answer is the same and
 * costs the same work, so that it tells nothing about which accounts exist. Throws `unauthenticated`, or
 * `throttled` after too many tries for the account or from the address.
 */
export async function signIn(base: Omit<Ctx, "actor">, input: SignInInput): Promise<SignedIn> {
  const email = input.email.trim().toLowerCase().slice(0, 320);
  const password = input.password.slice(0, 1024);
  const user = await base.db.user.findUnique({ where: { email } });
  const keys = await throttleKeys(base, email, user);
  for (const key of keys) await countTry(base, key);
  const usable = user && user.disabledAt === null ? user : null;
  const checked = usable
    ? await verifyPassword(password, usable.passwordHash)
    : await pretendVerify(password).then(() => ({ ok: false, outdated: false }));
  if (!usable || !checked.ok) throw wrong();
  const rehashed = checked.outdated ? await hashPassword(password) : null;
  const signedIn = await base.db.$transaction(async (tx) => {
    await spendSecondFactor(tx, base, usable, input.code?.trim() ?? "", wrong);
    return await openSession(tx, base, usable, rehashed, input.userAgent);
  });
  for (const key of keys) await forgiveTry(base, key);
  return signedIn;
}

function wrong(): HoldfastError {
  return new HoldfastError("unauthenticated", "E-mail, password or code is wrong.", {
    remedy: "Try again; if your account has a second factor, give its current code. An admin can reset both.",
  });
}

/**
 * Tries from an address where the account signed in within a month are counted apart, so that a stranger
 * who keeps an account blocked does not lock out its owner.
 */
async function throttleKeys(
  base: Omit<Ctx, "actor">,
  email: string,
  user: User | null,
): Promise<ThrottleKey[]> {
  const { address } = base;
  if (!address) return [{ kind: "account", name: email }];
  const since = new Date(base.clock.now().getTime() - SESSION_DAYS * 24 * 3600_000);
  const known = await base.db.session.count({
    where: { userId: user?.id ?? newId(), address, createdAt: { gt: since } },
    take: 1,
  });
  const group = addressGroup(address);
  return [
    { kind: "address", name: group },
    { kind: "account", name: known > 0 ? `${email}@${group}` : email },
  ];
}

/**
 * Makes the session's row and its audit event; the account must still be enabled and have the password that was
 * checked, and the same second factor: a reset in between must not leave a session behind.
 */
async function openSession(
  tx: Tx,
  base: Omit<Ctx, "actor">,
  user: User,
  rehashed: string | null,
  userAgent: string | undefined,
): Promise<SignedIn> {
  const now = base.clock.now();
  const sessionId = newId();
  const { count } = await tx.user.updateMany({
    where: {
      id: user.id,
      disabledAt: null,
      passwordHash: user.passwordHash,
      totpEnabledAt: user.totpEnabledAt,
    },
    data: { lastLoginAt: now, ...(rehashed ? { passwordHash: rehashed } : {}) },
  });
  if (count === 0) throw wrong();
  await tx.session.create({
    data: {
      id: sessionId,
      userId: user.id,
      address: base.address ?? null,
      userAgent: userAgent?.slice(0, 400) ?? null,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + SESSION_DAYS * 24 * 3600_000),
    },
  });
  const scope = { environments: user.scopeEnvironments, applications: user.scopeApplications };
  const actor: Actor = { kind: "user", id: user.id, name: user.name, role: user.role, scope, sessionId };
  await emitAudit(
    tx,
    { ...base, actor },
    {
      action: "session.create",
      object: { kind: "session", id: sessionId, name: user.email },
      after: { userAgent: userAgent?.slice(0, 400) ?? null },
    },
  );
  return { userId: user.id, name: user.name, email: user.email, sessionId };
}
