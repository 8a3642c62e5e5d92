import { randomBytes } from "node:crypto";
import { hashPassword } from "../../auth/passwords.ts";
import { SESSION_DAYS } from "../../auth/resolve-session.ts";
import type { Ctx, Role, Scope } from "../../context.ts";
import type { User } from "../../db/generated/client.ts";
import { newId } from "../../ids.ts";

/** Far cheaper than the real parameters; verifies all the same. */
const CHEAP = { ln: 4, r: 8, p: 1 };

export interface TestMember {
  user: User;
  password: string;
  sessionId: string;
  /** Signed in as this member. */
  ctx: Ctx;
}

/** A member with a random address, a known password and one session. */
export async function makeMember(
  base: Omit<Ctx, "actor">,
  options: { role?: Role; email?: string; scope?: Partial<Scope> } = {},
): Promise<TestMember> {
  const { role = "admin" } = options;
  const scope: Scope = { environments: [], applications: [], ...options.scope };
  const suffix = randomBytes(4).toString("hex");
  const password = `password of ${suffix}`;
  const now = base.clock.now();
  const user = await base.db.user.create({
    data: {
      id: newId(),
      email: options.email ?? `${role}-${suffix}@example.com`,
      name: `${role} ${suffix}`,
      role,
      scopeEnvironments: scope.environments,
      scopeApplications: scope.applications,
      passwordHash: await hashPassword(password, CHEAP),
      createdAt: now,
    },
  });
  const sessionId = newId();
  await base.db.session.create({
    data: {
      id: sessionId,
      userId: user.id,
      address: base.address ?? null,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + SESSION_DAYS * 24 * 3600_000),
    },
  });
  const ctx: Ctx = { ...base, actor: { kind: "user", id: user.id, name: user.name, role, scope, sessionId } };
  return { user, password, sessionId, ctx };
}
