import type { SFTPWrapper } from "ssh2";

/** Who waits for an answer on a connection; the library forgets those that ask after it was lost. */
interface Pending {
  lost: Error | null;
  waiting: Set<(error: Error) => void>;
}

const connections = new WeakMap<SFTPWrapper, Pending>();

function pendingOf(sftp: SFTPWrapper): Pending {
  const known = connections.get(sftp);
  if (known) return known;
  const made: Pending = { lost: null, waiting: new Set() };
  connections.set(sftp, made);
  return made;
}

/** Fails everything that waits for an answer, now and later. */
export function markLost(sftp: SFTPWrapper): void {
  const pending = pendingOf(sftp);
  pending.lost ??= new Error("the connection was lost");
  for (const reject of pending.waiting) reject(pending.lost);
  pending.waiting.clear();
}

/** One request; rejects with its callback's error, or when the connection is lost. */
export async function call<T>(
  sftp: SFTPWrapper,
  request: (done: (error: Error | null | undefined, result: T) => void) => unknown,
): Promise<T> {
  const pending = pendingOf(sftp);
  if (pending.lost) throw pending.lost;
  return await new Promise<T>((resolve, reject) => {
    pending.waiting.add(reject);
    request((error, result) => {
      pending.waiting.delete(reject);
      if (error) reject(error);
      else resolve(result);
    });
  });
}
