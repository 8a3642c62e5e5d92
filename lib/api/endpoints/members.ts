import { z } from "zod";
import { createInvite } from "../../members/create-invite.ts";
import { listInvites } from "../../members/list-invites.ts";
import { listMemberSessions } from "../../members/list-member-sessions.ts";
import { listMembers } from "../../members/list-members.ts";
import { resetPassword } from "../../members/reset-password.ts";
import { resetTotp } from "../../members/reset-totp.ts";
import { revokeInvite } from "../../members/revoke-invite.ts";
import { revokeMemberSession, revokeMemberSessions } from "../../members/revoke-member-sessions.ts";
import {
  createdInviteSchema,
  createInviteInput,
  inviteSchema,
  memberSchema,
  passwordResetSchema,
  sessionSchema,
  updateMemberInput,
} from "../../members/schema.ts";
import { updateMember } from "../../members/update-member.ts";
import { pageOf, plainListQuery } from "../../paging.ts";
import { updatedMemberSchema } from "../../tokens/schema.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Members";

export const memberEndpoints = [
  endpoint({
    method: "GET",
    path: "/members",
    tag,
    summary: "Members, disabled ones too",
    permission: "member.read",
    query: plainListQuery,
    output: pageOf(memberSchema),
    handle: (ctx, { query }) => listMembers(ctx, query),
  }),
  endpoint({
    method: "PATCH",
    path: "/members/{member}",
    tag,
    summary: "Change name, role or limits; disable or enable",
    permission: "member.write",
    body: updateMemberInput,
    output: updatedMemberSchema,
    handle: (ctx, { params, body }) => updateMember(ctx, { ...body, member: params.member ?? "" }),
  }),
  endpoint({
    method: "POST",
    path: "/members/{member}/reset-password",
    tag,
    summary: "Give a temporary password, answered once; ends their sessions",
    permission: "member.write",
    output: passwordResetSchema,
    handle: (ctx, { params }) => resetPassword(ctx, { member: params.member ?? "" }),
  }),
  endpoint({
    method: "POST",
    path: "/members/{member}/reset-totp",
    tag,
    summary: "Turn off a lost second factor",
    permission: "member.write",
    output: memberSchema,
    handle: (ctx, { params }) => resetTotp(ctx, { member: params.member ?? "" }),
  }),
  endpoint({
    method: "GET",
    path: "/members/{member}/sessions",
    tag,
    summary: "A member's sessions",
    permission: "member.read",
    query: plainListQuery,
    output: pageOf(sessionSchema),
    handle: (ctx, { params, query }) => listMemberSessions(ctx, { ...query, member: params.member ?? "" }),
  }),
  endpoint({
    method: "DELETE",
    path: "/members/{member}/sessions",
    tag,
    summary: "End every session of a member",
    permission: "member.write",
    output: z.object({ revoked: z.number() }),
    handle: (ctx, { params }) => revokeMemberSessions(ctx, { member: params.member ?? "" }),
  }),
  endpoint({
    method: "DELETE",
    path: "/members/{member}/sessions/{session}",
    tag,
    summary: "End one session of a member",
    permission: "member.write",
    status: 204,
    handle: (ctx, { params }) =>
      revokeMemberSession(ctx, { member: params.member ?? "", session: params.session ?? "" }),
  }),
  endpoint({
    method: "GET",
    path: "/invites",
    tag,
    summary: "Open invitations",
    permission: "member.read",
    query: plainListQuery,
    output: pageOf(inviteSchema),
    handle: (ctx, { query }) => listInvites(ctx, query),
  }),
  endpoint({
    method: "POST",
    path: "/invites",
    tag,
    summary: "Invite someone; the link is answered once",
    permission: "member.write",
    body: createInviteInput,
    output: createdInviteSchema,
    status: 201,
    handle: (ctx, { body }) => createInvite(ctx, body),
  }),
  endpoint({
    method: "DELETE",
    path: "/invites/{invite}",
    tag,
    summary: "Revoke an open invitation",
    permission: "member.write",
    status: 204,
    handle: (ctx, { params }) => revokeInvite(ctx, { invite: params.invite ?? "" }),
  }),
];
