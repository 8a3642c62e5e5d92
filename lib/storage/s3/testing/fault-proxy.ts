import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to one request instead of being passed on. */
export type Fault =
  | { status: number; code: string }
  /** Nothing is ever answered. */
  | "hang"
  /** The connection breaks after so many bytes of the request's or the answer's body. */
  | { cutRequestAfter: number }
  | { cutAnswerAfter: number };

export interface FaultProxy {
  endpoint: string;
  /** Every request is asked about: null passes it on. */
  judge: (request: { method: string; url: string }) => Fault | null;
  /** "PUT /bucket/key?partNumber=1", of those passed on and of those not. */
  seen: string[];
  stop(): Promise<void>;
}

/** Stands between a client and a real store, and breaks what it is told to. Signatures stay valid: the host is kept. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const target = new URL(upstream);
  const server = createServer((incoming, answer) => {
    const { method = "GET", url = "/" } = incoming;
    proxy.seen.push(`${method} ${url}`);
    const fault = proxy.judge({ method, url });
    if (fault === "hang") return;
    if (fault && "status" in fault) {
      incoming.resume();
      incoming.once("end", () => answerFault(answer, fault));
      return;
    }
    passOn(incoming, answer, target, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${port}`,
    judge: () => null,
    seen: [],
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function answerFault(answer: ServerResponse, { status, code }: { status: number; code: string }): void {
  answer.writeHead(status, { "content-type": "application/xml" });
  answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`);
}

function passOn(
  incoming: IncomingMessage,
  answer: ServerResponse,
  target: URL,
  fault: { cutRequestAfter: number } | { cutAnswerAfter: number } | null,
): void {
  const { method, url, headers } = incoming;
  const onward = request(
    { host: target.hostname, port: target.port, method, path: url, headers },
    (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      const cut = fault && "cutAnswerAfter" in fault ? fault.cutAnswerAfter : Number.POSITIVE_INFINITY;
      let bytes = 0;
      reply.on("data", (chunk: Buffer) => {
        answer.write(chunk.subarray(0, Math.max(0, cut - bytes)));
        bytes += chunk.length;
        if (bytes >= cut) answer.destroy();
      });
      reply.on("end", () => answer.end());
    },
  );
  onward.on("error", () => answer.destroy());
  const cut = fault && "cutRequestAfter" in fault ? fault.cutRequestAfter : Number.POSITIVE_INFINITY;
  let bytes = 0;
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes < cut) {
      onward.write(chunk);
      return;
    }
    onward.destroy();
    incoming.destroy();
  });
  incoming.on("end", () => onward.end());
}
