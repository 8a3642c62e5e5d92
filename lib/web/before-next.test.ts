import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ASKED_METHOD_HEADER } from "../api/unusual-method.ts";
import { beforeNext } from "./before-next.ts";

/** A server that tells what would have reached Next. */
async function serve(publicUrl: string) {
  const answered = beforeNext(new URL(publicUrl));
  const server = createServer((request, response) => {
    if (answered(request, response)) return;
    response.end(JSON.stringify({ method: request.method, asked: request.headers[ASKED_METHOD_HEADER] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    async ask(method: string, path: string, headers: Record<string, string> = {}) {
      const asking = send({ port, host: "127.0.0.1", method, path, headers }).end();
      const [answer] = (await once(asking, "response")) as [import("node:http").IncomingMessage];
      let text = "";
      for await (const part of answer) text += String(part);
      const body = (text === "" ? null : JSON.parse(text)) as unknown;
      return { status: answer.statusCode, headers: answer.headers, body };
    },
    close: () => server.close(),
  };
}

let plain: Awaited<ReturnType<typeof serve>>;
let secure: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  plain = await serve("http://localhost:3000");
  secure = await serve("https://holdfast.example.com");
});
afterAll(() => {
  plain.close();
  secure.close();
});

test("over https browsers are told to stay there, in every answer; over http they are not", async () => {
  for (const [method, path] of [
    ["GET", "/"],
    ["TRACE", "/api/livez"],
    ["PATCH", "/"],
  ] as const) {
    const header = "strict-transport-security";
    expect((await secure.ask(method, path)).headers[header]).toBe("max-age=31536000");
    expect((await plain.ask(method, path)).headers[header]).toBeUndefined();
  }
});

describe("methods", () => {
  test.each([
    ["TRACE", "/api/livez", "GET, HEAD, OPTIONS"],
    ["DELETE", "/api/readyz", "GET, HEAD, OPTIONS"],
    ["TRACE", "/api/auth/csrf", "GET, HEAD, POST, OPTIONS"],
    ["PUT", "/api/auth/session", "GET, HEAD, POST, OPTIONS"],
    ["PROPFIND", "/databases/shop", "GET, HEAD, POST, OPTIONS"],
    ["TRACE", "/", "GET, HEAD, POST, OPTIONS"],
  ])("%s %s is refused with what is possible", async (method, path, allow) => {
    const { status, headers, body } = await plain.ask(method, path);
    expect(status).toBe(405);
    expect(headers).toMatchObject({ allow, "content-type": "application/problem+json", connection: "close" });
    expect(body).toMatchObject({ status: 405, detail: expect.stringContaining(method) });
  });

  test.each(["TRACE", "PROPFIND", "UNLOCK", "M-SEARCH"])(
    "%s at the API is left to its routes",
    async (method) => {
      const { status, body } = await plain.ask(method, "/api/v1/me?x=1");
      expect([status, body]).toEqual([200, { method: "OPTIONS", asked: method }]);
    },
  );

  test.each([
    ["GET", "/api/v1/me"],
    ["DELETE", "/api/v1/tokens/x"],
    ["POST", "/api/auth/callback/credentials"],
    ["POST", "/backups"],
    ["OPTIONS", "/api/v1/me"],
  ])("%s %s passes as it is; nobody else sets the header", async (method, path) => {
    const { body } = await plain.ask(method, path, { [ASKED_METHOD_HEADER]: "DELETE" });
    expect(body).toEqual({ method });
  });
});
