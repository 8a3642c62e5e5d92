import { encode } from "next-auth/jwt";
import { sessionCookieName } from "../../lib/auth/session-cookie.ts";
import type { Ctx, Role } from "../../lib/context.ts";
import { makeBackup, makeDatabase, provenNow } from "../../lib/databases/testing/make-database.ts";
import { newId } from "../../lib/ids.ts";
import { createInvite } from "../../lib/members/create-invite.ts";
import { makeMember } from "../../lib/members/testing/make-member.ts";
import { createPolicy } from "../../lib/policies/create-policy.ts";

/** In whatever the console knows and its pages fetch later; in no page's address, and in no page itself. */
export const MARK = "mark-of-the-walk";

/** Somebody who opens a page. */
export interface Person {
  name: string;
  cookie: string;
  /** Null: nobody is signed in. */
  role: Role | null;
  /** To the environment staging; all that the pages show stands in production. */
  limited: boolean;
  mustChangePassword: boolean;
}

/** One of each thing that pages show. Returns what stands for the parts of a page's path in brackets. */
export async function seed(ctx: Ctx): Promise<Record<string, string>> {
  const { db } = ctx;
  const database = await makeDatabase(db, {
    name: "walk-production",
    environment: "production",
    note: MARK,
    owner: MARK,
    connection: { host: `${MARK}.internal`, port: 5432, database: MARK, user: MARK, tls: "prefer" },
  });
  const operation = newId();
  const backup = await makeBackup(db, database.id, { ...provenNow(), operationId: operation, path: MARK });
  await db.operation.create({
    data: {
      id: operation,
      rootId: operation,
      kind: "backup.run",
      state: "succeeded",
      title: `Back up ${MARK}`,
      pool: "default",
      payload: {},
      actorKind: "system",
      actorName: MARK,
      trigger: "system",
      databaseId: database.id,
      backupId: backup.id,
    },
  });
  await createInvite(ctx, { email: `${MARK}@example.com`, name: MARK, role: "viewer" });
  const { name: policy } = await createPolicy(ctx, {
    name: "walk-nightly",
    databases: [database.name],
    patterns: [`${MARK}-*`],
    destinations: ["local"],
    schedule: { kind: "daily", at: "02:15" },
  });
  return { database: database.name, backup: backup.id, operation, policy };
}

/** One of each kind, with the cookie that a sign-in would have set; `secret` is the web process's own. */
export async function everybody(ctx: Ctx, secret: string): Promise<Person[]> {
  const add = async (
    name: string,
    role: Role,
    more: { limited?: boolean; mustChangePassword?: boolean } = {},
  ) => {
    const { limited = false, mustChangePassword = false } = more;
    const scope = limited ? { scope: { environments: ["staging"] } } : {};
    const { sessionId, user } = await makeMember(ctx, { role, ...scope });
    await ctx.db.user.update({ where: { id: user.id }, data: { mustChangePassword } });
    const cookie = `${sessionCookieName(false)}=${await encode({ token: { sid: sessionId }, secret })}`;
    return { sessionId, person: { name, cookie, role, limited, mustChangePassword } };
  };
  const members = await Promise.all([
    add("a viewer", "viewer"),
    add("an operator", "operator"),
    add("an admin", "admin"),
    add("an admin limited to staging", "admin", { limited: true }),
    add("an admin whose password must be changed", "admin", { mustChangePassword: true }),
  ]);
  const ended = await add("somebody whose session was ended", "admin");
  await ctx.db.session.update({ where: { id: ended.sessionId }, data: { revokedAt: ctx.clock.now() } });
  const nobody = { role: null, limited: false, mustChangePassword: false };
  return [
    { name: "nobody", cookie: "", ...nobody },
    { ...ended.person, ...nobody },
    ...members.map(({ person }) => person),
  ];
}
