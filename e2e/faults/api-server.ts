import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { dispatch } from "../../lib/api/dispatch.ts";
import { endpoints } from "../../lib/api/registry.ts";
import { parseEnv } from "../../lib/env.ts";
import { processKeyring } from "../../lib/secrets/process-keyring.ts";
import type { TestInstall } from "../../lib/testing/install.ts";

export interface ApiServer {
  url: string;
  stop(): Promise<void>;
}

/** The install's API on a free port, without a web process: what the CLI speaks to. */
export async function startApi({ ctx, env }: Pick<TestInstall, "ctx" | "env">): Promise<ApiServer> {
  const runtime = {
    env: parseEnv(env),
    db: ctx.db,
    log: ctx.log,
    keyring: await processKeyring(),
    sessionSecret: "a secret of the tests only",
    secureCookies: false,
  };
  const server = createServer(async (incoming, outgoing) => {
    const { method = "GET", url = "/" } = incoming;
    const body = method === "GET" ? null : Uint8Array.from(await buffer(incoming));
    const headers = new Headers(incoming.headers as Record<string, string>);
    const request = new Request(`http://127.0.0.1${url}`, { method, headers, body });
    const answer = await dispatch(runtime, endpoints, request);
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
