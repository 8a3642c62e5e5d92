/** One server-sent event (WHATWG HTML, 9.2). Data is JSON, so it has no line breaks of its own. */
export function sseMessage(data: unknown, options: { id?: string | null; event?: string } = {}): string {
  const id = options.id ? `id: ${options.id}\n` : "";
  const event = options.event ? `event: ${options.event}\n` : "";
  return `${id}${event}data: ${JSON.stringify(data)}\n\n`;
}

/** Keeps proxies and the client from taking silence for a dead connection. */
export const SSE_HEARTBEAT = ": still here\n\n";
/** How long a browser waits before it connects again. */
const RETRY = "retry: 2000\n\n";

/**
 * A streamed answer made of what the generator yields. The next piece is asked for when the client has taken
 * the one before; when the client goes away the signal is aborted and the generator has to return.
 */
export function sseResponse(
  requestSignal: AbortSignal,
  generate: (signal: AbortSignal) => AsyncGenerator<string>,
): Response {
  const gone = new AbortController();
  const pieces = generate(AbortSignal.any([requestSignal, gone.signal]));
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(RETRY));
    },
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      gone.abort();
      await pieces.return(undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}
