import { z } from "zod";
import { limits, memberSchema, roles } from "../members/schema.ts";
import { plainListQuery } from "../paging.ts";

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** First characters, to tell tokens apart. */
  prefix: z.string(),
  /** Only one that works is answered; the owner is whoever made it, or the token that made it. */
  state: z.enum(["works", "expired", "owner-disabled"]),
  role: z.enum(roles),
  environments: z.array(z.string()),
  applications: z.array(z.string()),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
export type TokenDto = z.infer<typeof tokenSchema>;

export const listTokensQuery = plainListQuery.extend({
  /** Id of a member. */
  owner: z.uuid().optional(),
});

export const createTokenInput = z.object({
  name: z.string().trim().min(1, "Give a name.").max(80),
  role: z.enum(roles),
  ...limits,
  expiresInDays: z.number().int().min(1).max(3650).nullable().default(90),
});
/** `token` is shown once and stored hashed. */
export const createdTokenSchema = tokenSchema.extend({ token: z.string() });

/** A member after a change, with the API tokens that they own: while the member is disabled none of them works. */
export const updatedMemberSchema = memberSchema.extend({ tokens: z.array(tokenSchema) });
export type UpdatedMemberDto = z.infer<typeof updatedMemberSchema>;
