import { z } from "zod";
import type { Db } from "../db/client.ts";
import type { ChainHead } from "./chain.ts";

/** How many of the newest manifests are asked; the chain only grows, so the newest says most. */
const MANIFESTS = 10;

const recordedSchema = z.object({
  auditHead: z.object({ seq: z.string().regex(/^\d+$/), hash: z.string() }).nullable(),
});

export interface RecordedHead {
  backupId: string;
  createdAt: Date;
  head: ChainHead | "unreadable";
}

/** Heads of the audit chain as the newest backups' manifests recorded them, one manifest in memory at a time. */
export async function* recordedHeads(db: Db): AsyncGenerator<RecordedHead> {
  const backups = await db.backup.findMany({
    where: { manifest: { isNot: null } },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: MANIFESTS,
    select: { id: true, createdAt: true },
  });
  for (const { id, createdAt } of backups) {
    const manifest = await db.backupManifest.findUnique({ where: { backupId: id } });
    if (!manifest) continue;
    const head = headIn(manifest.text);
    if (head) yield { backupId: id, createdAt, head };
  }
}

function headIn(text: string): ChainHead | "unreadable" | null {
  try {
    return recordedSchema.parse(JSON.parse(text)).auditHead;
  } catch {
    return "unreadable";
  }
}
