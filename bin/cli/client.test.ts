import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createClient } from "./client.ts";
import { EXIT } from "./exit.ts";

/** A server that answers the given statuses one after the other; `asked` counts. */
async function answering(...answers: { status: number; retryAfter?: string }[]) {
  let asked = 0;
  const server = createServer((_request, response) => {
    const { status, retryAfter } = answers[Math.min(asked, answers.length - 1)] ?? { status: 500 };
    asked += 1;
    const headers = {
      "content-type": "application/json",
      ...(retryAfter ? { "retry-after": retryAfter } : {}),
    };
    response.writeHead(status, headers).end(JSON.stringify({ detail: `answer ${asked}` }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = createClient({ HOLDFAST_URL: `http://127.0.0.1:${port}`, HOLDFAST_TOKEN: "hf_x" });
  return { client, asked: () => asked, close: () => server.close() };
}

test("a request that is refused for now is sent again when the server says so", async () => {
  const { client, asked, close } = await answering(
    { status: 429, retryAfter: "0" },
    { status: 429, retryAfter: "0" },
    { status: 200 },
  );
  expect(await client.post("/audit/verify")).toEqual({ detail: "answer 3" });
  expect(asked()).toBe(3);
  close();
});

test.each([
  ["for longer than anyone waits", { status: 429, retryAfter: "3600" }],
  ["without saying for how long", { status: 429 }],
  ["for good", { status: 409, retryAfter: "0" }],
])("a request that is refused %s fails at once", async (_name, answer) => {
  const { client, asked, close } = await answering(answer);
  await expect(client.post("/audit/verify")).rejects.toMatchObject({
    exitCode: EXIT.refused,
    message: "answer 1",
  });
  expect(asked()).toBe(1);
  close();
});
