import { z } from "zod";

export const workerSchema = z.object({
  id: z.string(),
  name: z.string(),
  pool: z.string(),
  host: z.string(),
  pid: z.number(),
  version: z.string(),
  state: z.enum(["up", "lost", "stopped"]),
  startedAt: z.string(),
  heartbeatAt: z.string(),
  running: z.number(),
  abilities: z.object({
    tools: z.record(z.string(), z.string()),
    sandboxes: z.array(z.string()),
    isolation: z.string(),
    isolationDetail: z.string(),
  }),
});
export type WorkerDto = z.infer<typeof workerSchema>;
