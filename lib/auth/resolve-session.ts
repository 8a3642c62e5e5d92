import type { Ctx, Role } from "../context.ts";
import { isId } from "../ids.ts";

/** A session ends this long after sign-in, whatever happens. */
export const SESSION_DAYS = 30;
/** A session that was not used for this long has ended. */
export const IDLE_MS = 7 * 24 * 3600_000;
/** `lastSeenAt` is written at most this often. */
const SEEN_EVERY_MS = 60_000;

export interface ResolvedSession {
  ctx: Ctx;
  email: string;
  /** Only changing the password is allowed until that is done. */
  mustChangePassword: boolean;
}

interface Row {
  user_id: string;
  email: string;
  name: string;
  role: Role;
  scope_environments: string[];
  scope_applications: string[];
  must_change_password: boolean;
  last_seen_at: Date;
}

/**
 * Who a session id stands for, asked of the database each time, so that revoking a session, disabling its user
 * or changing a role works at the next request. Null when the session is unknown, revoked, expired or idle for
 * too long, or its user is disabled. It counts as use of the session unless `use` is false.
 */
export async function resolveSession(
  base: Omit<Ctx, "actor">,
  sessionId: string,
  { use = true }: { use?: boolean } = {},
): Promise<ResolvedSession | null> {
  if (!isId(sessionId)) return null;
  const now = base.clock.now();
  const idleSince = new Date(now.getTime() - IDLE_MS);
  const [row] = await base.db.$queryRaw<Row[]>`
    SELECT u.id::text AS user_id, u.email, u.name, u.role::text AS role, u.scope_environments,
           u.scope_applications, u.must_change_password, s.last_seen_at
      FROM session s JOIN user_account u ON u.id = s.user_id
     WHERE s.id = ${sessionId}::uuid AND s.revoked_at IS NULL AND s.expires_at > ${now}
       AND s.last_seen_at > ${idleSince} AND u.disabled_at IS NULL`;
  if (!row) return null;
  if (use && now.getTime() - row.last_seen_at.getTime() >= SEEN_EVERY_MS) {
    await base.db.session.updateMany({
      where: { id: sessionId, lastSeenAt: { lt: now } },
      data: { lastSeenAt: now },
    });
  }
  const scope = { environments: row.scope_environments, applications: row.scope_applications };
  return {
    ctx: {
      ...base,
      actor: { kind: "user", id: row.user_id, name: row.name, role: row.role, scope, sessionId },
    },
    email: row.email,
    mustChangePassword: row.must_change_password,
  };
}
