/**
 * Reads GET /api/v1/events as server-sent events with fetch, which unlike EventSource can tell a revoked session
 * (401) from a lost connection and can resume with Last-Event-ID in another tab.
 */
export interface LiveEvent {
  id: string | null;
  topic: string;
  objectId: string | null;
}

export type StreamEnd = "signed-out" | "lost";

interface Block {
  id: string | null;
  data: string;
}

/** Splits off whole blocks of a stream; what is left over belongs to the next piece. */
export function takeBlocks(text: string): { blocks: Block[]; rest: string } {
  const pieces = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = pieces.pop() ?? "";
  const blocks = pieces.map((piece) => {
    const block: Block = { id: null, data: "" };
    for (const line of piece.split("\n")) {
      const [, name, value = ""] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (name === "id") block.id = value;
      if (name === "data") block.data += value;
    }
    return block;
  });
  return { blocks, rest };
}

/** The event of a block, or null for heartbeats and what is not understood. */
export function toLiveEvent(block: Block): LiveEvent | null {
  if (block.data === "") return null;
  try {
    const data = JSON.parse(block.data) as { topic?: unknown; objectId?: unknown };
    if (typeof data.topic !== "string") return null;
    const objectId = typeof data.objectId === "string" ? data.objectId : null;
    return { id: block.id, topic: data.topic, objectId };
  } catch {
    return null;
  }
}

/**
 * Follows the stream until it ends. `onOpen` is called when the server has answered; a stream that is silent for
 * longer than `silenceMs` (heartbeats included) counts as lost.
 */
export async function followEvents(options: {
  after: string | null;
  signal: AbortSignal;
  silenceMs: number;
  onOpen: () => void;
  onEvent: (event: LiveEvent) => void;
}): Promise<StreamEnd> {
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), options.silenceMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(), options.silenceMs);
  };
  try {
    const response = await fetch("/api/v1/events", {
      headers: {
        accept: "text/event-stream",
        ...(options.after ? { "last-event-id": options.after } : {}),
      },
      cache: "no-store",
      signal: AbortSignal.any([options.signal, quiet.signal]),
    });
    if (response.status === 401) return "signed-out";
    if (!response.ok || !response.body) return "lost";
    options.onOpen();
    let text = "";
    for await (const piece of pieces(response.body)) {
      alive();
      const { blocks, rest } = takeBlocks(text + piece);
      text = rest;
      for (const block of blocks) {
        const event = toLiveEvent(block);
        if (event) options.onEvent(event);
      }
    }
    return "lost";
  } catch {
    return "lost";
  } finally {
    clearTimeout(timer);
  }
}

/** Streams are not iterable in every browser yet. */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
