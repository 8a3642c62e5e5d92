import { z } from "zod";
import { applicationName } from "../databases/schema.ts";

export const roles = ["viewer", "operator", "admin"] as const;
const environments = z.array(z.string().max(63)).max(100);
const applications = z.array(applicationName).max(100);
/** What a role is limited to; empty lists mean everything. */
export const limits = { environments: environments.default([]), applications: applications.default([]) };

export const email = z.string().trim().toLowerCase().pipe(z.email("Give an e-mail address."));
/** NIST 800-63B: length counts, composition rules don't. */
export const newPassword = z
  .string()
  .min(12, "Use at least 12 characters.")
  .max(256, "Use at most 256 characters.");

export const memberSchema = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role: z.enum(roles),
  environments: z.array(z.string()),
  applications: z.array(z.string()),
  totp: z.boolean(),
  disabledAt: z.string().nullable(),
  lastLoginAt: z.string().nullable(),
  createdAt: z.string(),
});
export type MemberDto = z.infer<typeof memberSchema>;

export const inviteSchema = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role: z.enum(roles),
  environments: z.array(z.string()),
  applications: z.array(z.string()),
  expiresAt: z.string(),
  invitedBy: z.string(),
});
export type InviteDto = z.infer<typeof inviteSchema>;

export const createInviteInput = z.object({
  email,
  name: z.string().trim().min(1, "Give a name.").max(120),
  role: z.enum(roles),
  ...limits,
});
/** The link is shown once. */
export const createdInviteSchema = inviteSchema.extend({ url: z.string() });
export const acceptInviteInput = z.object({ token: z.string().min(1), password: newPassword });

export const updateMemberInput = z.object({
  name: z.string().trim().min(1).max(120).optional(),
  role: z.enum(roles).optional(),
  environments: environments.optional(),
  applications: applications.optional(),
  disabled: z.boolean().optional(),
});
/** Returned once, to be handed over; must be changed at the next sign-in. */
export const passwordResetSchema = z.object({ temporaryPassword: z.string() });

export const claimInput = z.object({
  token: z.string().trim().min(1, "Paste the token that the console printed."),
  email,
  name: z.string().trim().min(1, "Give a name.").max(120),
  password: newPassword,
});

export const meSchema = z.object({
  kind: z.enum(["user", "token"]),
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  role: z.enum(roles),
  environments: z.array(z.string()),
  applications: z.array(z.string()),
  totp: z.boolean(),
  /** Recovery codes that were not used yet; null without a second factor. */
  recoveryCodesLeft: z.number().nullable(),
  mustChangePassword: z.boolean(),
});
export type Me = z.infer<typeof meSchema>;

export const changePasswordInput = z.object({
  current: z.string().min(1, "Give your current password."),
  password: newPassword,
});
export const totpStartSchema = z.object({ secret: z.string(), uri: z.string() });
export const totpConfirmInput = z.object({ code: z.string().regex(/^\d{6}$/, "Six digits.") });
export const recoveryCodesSchema = z.object({ recoveryCodes: z.array(z.string()) });
/** One's own password, typed again: a session left open is not enough. */
export const ownPasswordInput = z.object({
  password: z.string().min(1, "Give your password.").max(1024),
});
export const changeEmailInput = ownPasswordInput.extend({ email });

export const sessionSchema = z.object({
  id: z.string(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
  current: z.boolean(),
});
export type SessionDto = z.infer<typeof sessionSchema>;
