import { z } from "zod";
import { changeEmail } from "../../auth/change-email.ts";
import { changePassword } from "../../auth/change-password.ts";
import { claim } from "../../auth/claim.ts";
import { confirmTotp } from "../../auth/confirm-totp.ts";
import { disableTotp } from "../../auth/disable-totp.ts";
import { getMe } from "../../auth/get-me.ts";
import { listSessions } from "../../auth/list-sessions.ts";
import { makeRecoveryCodes } from "../../auth/make-recovery-codes.ts";
import { revokeOtherSessions } from "../../auth/revoke-other-sessions.ts";
import { revokeSession } from "../../auth/revoke-session.ts";
import { startTotp } from "../../auth/start-totp.ts";
import { acceptInvite } from "../../members/accept-invite.ts";
import {
  acceptInviteInput,
  changeEmailInput,
  changePasswordInput,
  claimInput,
  memberSchema,
  meSchema,
  ownPasswordInput,
  recoveryCodesSchema,
  sessionSchema,
  totpConfirmInput,
  totpStartSchema,
} from "../../members/schema.ts";
import { pageOf, plainListQuery } from "../../paging.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Account";

/** One's own account and sessions, and the two ways to get an account. */
export const meEndpoints = [
  endpoint({
    method: "GET",
    path: "/me",
    tag,
    summary: "Who is asking, with role and limits",
    permission: "account.own",
    output: meSchema,
    handle: (ctx) => getMe(ctx),
  }),
  endpoint({
    method: "POST",
    path: "/me/password",
    tag,
    summary: "Change one's own password; ends the other sessions",
    permission: "account.own",
    body: changePasswordInput,
    status: 204,
    handle: (ctx, { body }) => changePassword(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/me/email",
    tag,
    summary: "Change the address that one signs in with, with the password",
    permission: "account.own",
    body: changeEmailInput,
    status: 204,
    handle: (ctx, { body }) => changeEmail(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/me/totp",
    tag,
    summary: "Start to set up a second factor, with the password",
    permission: "account.own",
    body: ownPasswordInput,
    output: totpStartSchema,
    handle: (ctx, { body }) => startTotp(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/me/totp/confirm",
    tag,
    summary: "Switch the second factor on with a first code; answers the recovery codes, once",
    permission: "account.own",
    body: totpConfirmInput,
    output: recoveryCodesSchema,
    handle: (ctx, { body }) => confirmTotp(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/me/totp/disable",
    tag,
    summary: "Switch the second factor off, with the password",
    permission: "account.own",
    body: ownPasswordInput,
    status: 204,
    handle: (ctx, { body }) => disableTotp(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/me/recovery-codes",
    tag,
    summary: "New recovery codes in the place of all earlier ones, answered once; with the password",
    permission: "account.own",
    body: ownPasswordInput,
    output: recoveryCodesSchema,
    handle: (ctx, { body }) => makeRecoveryCodes(ctx, body),
  }),
  endpoint({
    method: "GET",
    path: "/sessions",
    tag,
    summary: "One's own sessions",
    permission: "account.own",
    query: plainListQuery,
    output: pageOf(sessionSchema),
    handle: (ctx, { query }) => listSessions(ctx, query),
  }),
  endpoint({
    method: "DELETE",
    path: "/sessions/{session}",
    tag,
    summary: "End one of one's own sessions",
    permission: "account.own",
    status: 204,
    handle: (ctx, { params }) => revokeSession(ctx, { session: params.session ?? "" }),
  }),
  endpoint({
    method: "POST",
    path: "/sessions/revoke-others",
    tag,
    summary: "End all of one's own sessions but this one",
    permission: "account.own",
    output: z.object({ revoked: z.number() }),
    handle: (ctx) => revokeOtherSessions(ctx),
  }),
  endpoint({
    method: "POST",
    path: "/claim",
    tag,
    summary: "Make the first account with the token that the console printed",
    permission: null,
    body: claimInput,
    output: memberSchema,
    status: 201,
    handle: (ctx, { body }) => claim(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/invites/accept",
    tag,
    summary: "Make one's account with the token of an invitation",
    permission: null,
    body: acceptInviteInput,
    output: memberSchema,
    status: 201,
    handle: (ctx, { body }) => acceptInvite(ctx, body),
  }),
];
