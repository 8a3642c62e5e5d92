import { z } from "zod";

export const searchQuery = z.object({
  q: z.string().trim().min(1, "Type something to look for.").max(100),
  /** Most hits of each kind. */
  limit: z.coerce.number().int().min(1).max(20).default(6),
});

export const searchHitSchema = z.object({
  kind: z.enum(["page", "database", "environment", "destination", "policy", "backup", "operation", "member"]),
  id: z.string(),
  title: z.string(),
  detail: z.string().nullable(),
  href: z.string(),
});
export type SearchHit = z.infer<typeof searchHitSchema>;

export const searchSchema = z.object({ items: z.array(searchHitSchema) });
