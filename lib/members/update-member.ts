import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { endSessions } from "../auth/end-sessions.ts";
import { requireGrantable } from "../auth/grantable.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { User } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { tokensOf } from "../tokens/list-tokens.ts";
import type { UpdatedMemberDto } from "../tokens/schema.ts";
import { findMember } from "./find-member.ts";
import { toMember } from "./member-dto.ts";
import { updateMemberInput } from "./schema.ts";

/**
 * Changes name, role or limits, disables or enables. It holds from the member's next request; disabling ends
 * their sessions at once and stops their API tokens until they are enabled again. Whoever may invite no longer has
 * no open invitation: a link could bring them back. `tokens` lists the API tokens they own: a lower role holds for
 * those, too; limits they keep as they were made, so revoke the ones that should not. Throws `refused` for the last admin.
 */
export async function updateMember(
  ctx: Ctx,
  input: z.input<typeof updateMemberInput> & { member: string },
): Promise<UpdatedMemberDto> {
  requirePermission(ctx, "member.write");
  const { member, ...rest } = input;
  const changes = updateMemberInput.parse(rest);
  return await ctx.db.$transaction(async (tx) => {
    const admins = await lockAdmins(tx);
    const before = await findMember(tx, member);
    const after = apply(ctx, before, changes);
    await requireGrantable(tx, ctx, {
      role: after.role,
      environments: after.scopeEnvironments,
      applications: after.scopeApplications,
    });
    if (admins.has(before.id) && admins.size === 1 && !isAdmin(after)) throw lastAdmin();
    const { name, role, scopeEnvironments, scopeApplications, disabledAt } = after;
    const saved = await tx.user.update({
      where: { id: before.id },
      data: { name, role, scopeEnvironments, scopeApplications, disabledAt },
    });
    const endedSessions = after.disabledAt ? await endSessions(tx, ctx, before.id) : 0;
    if (!isAdmin(after)) await revokeInvitesOf(tx, ctx, after);
    await emitAudit(tx, ctx, {
      action:
        before.disabledAt === after.disabledAt
          ? "member.update"
          : `member.${after.disabledAt ? "disable" : "enable"}`,
      object: { kind: "member", id: before.id, name: before.email },
      before: auditOf(before),
      after: { ...auditOf(saved), ...(after.disabledAt ? { endedSessions } : {}) },
    });
    await emitEvent(tx, "settings", before.id);
    return { ...toMember(saved), tokens: await tokensOf(tx, ctx, before.id) };
  });
}

type Changes = z.output<typeof updateMemberInput>;

function apply(ctx: Ctx, user: User, changes: Changes): User {
  const disabledAt =
    changes.disabled === undefined
      ? user.disabledAt
      : changes.disabled
        ? (user.disabledAt ?? ctx.clock.now())
        : null;
  return {
    ...user,
    name: changes.name ?? user.name,
    role: changes.role ?? user.role,
    scopeEnvironments: changes.environments ?? user.scopeEnvironments,
    scopeApplications: changes.applications ?? user.scopeApplications,
    disabledAt,
  };
}

/** Can do everything: only such an admin can undo any mistake. */
function isAdmin(user: User): boolean {
  return (
    user.role === "admin" &&
    user.disabledAt === null &&
    user.scopeEnvironments.length === 0 &&
    user.scopeApplications.length === 0
  );
}

/** Ids of the unlimited admins; their rows stay locked, so that two can't remove each other at once. */
async function lockAdmins(tx: Tx): Promise<Set<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id::text AS id FROM user_account
     WHERE role = 'admin' AND disabled_at IS NULL
       AND cardinality(scope_environments) = 0 AND cardinality(scope_applications) = 0
     ORDER BY id FOR UPDATE`;
  return new Set(rows.map(({ id }) => id));
}

/** Those of a disabled member's tokens, too: the tokens have stopped. */
async function revokeInvitesOf(tx: Tx, ctx: Ctx, user: User): Promise<void> {
  const where = { ownerId: user.id };
  const tokens = user.disabledAt ? await tx.apiToken.findMany({ where, select: { id: true } }) : [];
  await tx.invite.updateMany({
    where: { invitedBy: { in: [user.id, ...tokens.map(({ id }) => id)] }, acceptedAt: null, revokedAt: null },
    data: { revokedAt: ctx.clock.now() },
  });
}

function auditOf(user: User): Record<string, unknown> {
  return {
    name: user.name,
    role: user.role,
    environments: user.scopeEnvironments,
    applications: user.scopeApplications,
    disabledAt: user.disabledAt,
  };
}

function lastAdmin(): HoldfastError {
  return new HoldfastError("refused", "This is the last admin without limits; nobody could undo it.", {
    remedy: "Make another member an admin first.",
  });
}
