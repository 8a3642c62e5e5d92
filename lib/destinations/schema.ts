import { z } from "zod";

export const localConfigSchema = z.object({
  folder: z.string().regex(/^\//, "Give an absolute folder on the worker's machine.").max(4096),
});

export const destinationSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["local"]),
  config: z.record(z.string(), z.unknown()),
  copies: z.number(),
  usedBytes: z.number(),
  freeBytes: z.number().nullable(),
  checkedAt: z.string().nullable(),
  checkError: z.string().nullable(),
  archivedAt: z.string().nullable(),
});
export type DestinationDto = z.infer<typeof destinationSchema>;

export const createDestinationInput = z.object({
  name: z.string().regex(/^[a-z0-9-]{1,63}$/, "Use 1 to 63 lower-case letters, digits and hyphens."),
  kind: z.enum(["local"]),
  config: localConfigSchema,
});
export const updateDestinationInput = createDestinationInput.pick({ name: true });
export const destinationTestSchema = z.object({
  ok: z.boolean(),
  message: z.string(),
  freeBytes: z.number().nullable(),
});
