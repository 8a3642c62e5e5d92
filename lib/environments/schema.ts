import { z } from "zod";

export const environmentSchema = z.object({
  id: z.string(),
  name: z.string(),
  position: z.number(),
  protected: z.boolean(),
  databases: z.number(),
});
export type EnvironmentDto = z.infer<typeof environmentSchema>;

export const environmentInput = z.object({
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, "Use 1 to 40 lower-case letters, digits and hyphens."),
  protected: z.boolean().default(false),
});
/** `order` lists every environment's name from the first rung to the last. */
export const orderEnvironmentsInput = z.object({ order: z.array(z.string()).min(1) });
/** What is absent stays as it is. */
export const updateEnvironmentInput = z.object({
  name: environmentInput.shape.name.optional(),
  protected: z.boolean().optional(),
});
