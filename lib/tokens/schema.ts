import { z } from "zod";
import { memberSchema, roles } from "../members/schema.ts";

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** First characters, to tell tokens apart. */
  prefix: z.string(),
  role: z.enum(roles),
  environments: z.array(z.string()),
  applications: z.array(z.string()),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
export type TokenDto = z.infer<typeof tokenSchema>;

export const createTokenInput = z.object({
  name: z.string().trim().min(1, "Give a name.").max(80),
  role: z.enum(roles),
  environments: z.array(z.string()).default([]),
  applications: z.array(z.string()).default([]),
  expiresInDays: z.number().int().min(1).max(3650).nullable().default(90),
});
/** `token` is shown once and stored hashed. */
export const createdTokenSchema = tokenSchema.extend({ token: z.string() });

/** A member after a change, with the API tokens that they made: those go on working. */
export const updatedMemberSchema = memberSchema.extend({ tokens: z.array(tokenSchema) });
export type UpdatedMemberDto = z.infer<typeof updatedMemberSchema>;
