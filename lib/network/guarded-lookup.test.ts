import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { guardedAddresses, guardedLookup, guardedSocket } from "./guarded-lookup.ts";

const LOOPBACK = { address: "127.0.0.1", family: 4 };
const METADATA = { address: "169.254.169.254", family: 4 };

/** A name that means something else each time it is asked for. */
function rebinding(...answers: { address: string; family: number }[][]) {
  let asked = 0;
  return { resolver: async () => answers[Math.min(asked++, answers.length - 1)] ?? [], asked: () => asked };
}

async function server() {
  const made = createServer((_request, response) => response.end("inside"));
  made.listen(0, "127.0.0.1");
  await once(made, "listening");
  return { port: (made.address() as AddressInfo).port, close: () => made.close() };
}

test.each(["169.254.169.254", "2852039166", "0xa9fea9fe"])("%s is refused by itself", async (host) => {
  await expect(guardedAddresses(host)).rejects.toMatchObject({ code: "invalid" });
  const [error] = (await once(guardedSocket().connect(80, host), "error")) as [unknown];
  expect(error).toMatchObject({ code: "invalid" });
});

test("one forbidden address among several is enough", async () => {
  const { resolver } = rebinding([LOOPBACK, METADATA]);
  await expect(guardedAddresses("both.example", resolver)).rejects.toMatchObject({ code: "invalid" });
});

test("what is connected to is the address that was judged, asked for once", async () => {
  const { port, close } = await server();
  const name = rebinding([LOOPBACK], [METADATA]);
  const socket = guardedSocket(name.resolver);
  socket.connect(port, "rebinding.example");
  await once(socket, "connect");
  expect([socket.remoteAddress, name.asked()]).toEqual(["127.0.0.1", 1]);
  socket.destroy();
  const again = guardedSocket(name.resolver);
  const [error] = (await once(again.connect(port, "rebinding.example"), "error")) as [unknown];
  expect(error).toMatchObject({ code: "invalid" });
  close();
});

test("an HTTP agent takes it, and the error comes as it is", async () => {
  const { port, close } = await server();
  const ask = async (resolver: () => Promise<{ address: string; family: number }[]>) => {
    const agent = new Agent({ lookup: guardedLookup(resolver) });
    const request = get({ host: "web.example", port, agent });
    const [answer] = (await once(request, "response")) as [AsyncIterable<Buffer>];
    let text = "";
    for await (const part of answer) text += part.toString();
    return text;
  };
  expect(await ask(async () => [LOOPBACK])).toBe("inside");
  await expect(ask(async () => [METADATA])).rejects.toMatchObject({ code: "invalid" });
  await expect(
    ask(async () => {
      throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    }),
  ).rejects.toMatchObject({ code: "ENOTFOUND" });
  close();
});
