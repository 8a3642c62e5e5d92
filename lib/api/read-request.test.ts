import { expect, test } from "vitest";
import { z } from "zod";
import { HoldfastError } from "../errors.ts";
import { describeError } from "./problem.ts";
import { MAX_BODY_BYTES, readBody, readForm, readQuery } from "./read-request.ts";

const shape = z.object({ name: z.string().min(1), tags: z.array(z.string()).default([]) });

function post(body: BodyInit, type: string | null = "application/json"): Request {
  const headers = type === null ? undefined : { "content-type": type };
  return new Request("http://x/", { method: "POST", body, ...(headers ? { headers } : {}) });
}

async function refusal(work: () => unknown): Promise<{ status: number; fields: unknown }> {
  try {
    await work();
  } catch (error) {
    const { status, fields, unknown } = describeError(error, "r");
    expect(unknown).toBe(false);
    return { status, fields };
  }
  throw new Error("was not refused");
}

test("a right body is parsed, with defaults", async () => {
  expect(await readBody(post('{"name":"a"}', "application/json; charset=utf-8"), shape)).toEqual({
    name: "a",
    tags: [],
  });
});

test("nothing at all counts as an empty object", async () => {
  const optional = z.object({ verify: z.boolean().default(true) });
  expect(await readBody(new Request("http://x/", { method: "POST" }), optional)).toEqual({ verify: true });
  expect(await readBody(post("", null), undefined)).toBeUndefined();
});

test.each([
  ["not JSON", '{"name":', "application/json", 400],
  ["another type", "name=a", "application/x-www-form-urlencoded", 415],
  ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "application/json", 400],
  ["too large", "x".repeat(MAX_BODY_BYTES + 1), "application/json", 413],
  ["nested too deep", "[".repeat(200_000) + "]".repeat(200_000), "application/json", 422],
  ["a list", "[]", "application/json", 422],
  ["NUL", '{"name":"a\\u0000b"}', "application/json", 422],
  ["half a surrogate pair", '{"name":"\\ud800"}', "application/json", 422],
])("%s is refused", async (_name, body, type, status) => {
  expect((await refusal(() => readBody(post(body, type), shape))).status).toBe(status);
});

test("fields are named one by one", async () => {
  const { status, fields } = await refusal(() => readBody(post('{"tags":["a",1],"nmae":"x"}'), shape));
  expect(status).toBe(422);
  expect(fields).toMatchObject({ nmae: "There is no such field." });
  expect(Object.keys(fields as object).sort()).toEqual(["name", "nmae", "tags.1"]);
});

test.each(['{"__proto__":{"admin":true},"name":"a"}', '{"name":"a","tags":[{"constructor":1}]}'])(
  "keys of prototypes are refused: %s",
  async (body) => {
    expect((await refusal(() => readBody(post(body), shape))).status).toBe(422);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  },
);

test("query fields: unknown and repeated ones are refused", async () => {
  const query = z.object({ limit: z.coerce.number().int().max(5).default(2), q: z.string().optional() });
  expect(readQuery(new URLSearchParams("limit=3"), query)).toEqual({ limit: 3 });
  expect(readQuery(new URLSearchParams(""), undefined)).toEqual({});
  for (const text of ["limit=9", "limt=3", "q=a&q=b", "__proto__=1", "q=%00"]) {
    const search = new URLSearchParams(text);
    expect((await refusal(() => readQuery(search, query))).status).toBe(422);
  }
});

test("what is not meant for people does not get out", () => {
  const { message, status } = describeError(new Error("password is hunter2"), "r-1");
  expect({ status, leaks: message.includes("hunter2"), id: message.includes("r-1") }).toEqual({
    status: 500,
    leaks: false,
    id: true,
  });
  const reachable = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  expect(describeError(new Error("query", { cause: reachable }), "r").status).toBe(503);
  expect(describeError(new HoldfastError("throttled", "wait", { retryAfter: 3 }), "r")).toMatchObject({
    status: 429,
    retryAfter: 3,
  });
});

const FORM = "application/x-www-form-urlencoded";

test("a form's fields, the first of equal names", async () => {
  const field = await readForm(post("password=a+b%26c&as=dump&as=stored", `${FORM}; charset=utf-8`));
  expect([field("password"), field("as"), field("absent")]).toEqual(["a b&c", "dump", ""]);
});

/** As long as anyone reads; counts what was taken. */
function endless() {
  let taken = 0;
  const chunk = new Uint8Array(16_384).fill(0x61);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  return { body, taken: () => taken };
}

test("a body without end is read no further than its limit", async () => {
  const send = (body: BodyInit, type: string) =>
    new Request("http://x/", {
      method: "POST",
      body,
      headers: { "content-type": type },
      duplex: "half",
    } as RequestInit);
  const form = endless();
  expect((await refusal(() => readForm(send(form.body, FORM)))).status).toBe(413);
  expect(form.taken()).toBeLessThan(1 << 18);
  const json = endless();
  expect((await refusal(() => readBody(send(json.body, "application/json"), shape))).status).toBe(413);
  expect(json.taken()).toBeLessThan(2 * MAX_BODY_BYTES);
});

test("what is not a form is refused", async () => {
  expect((await refusal(() => readForm(post("{}", "application/json")))).status).toBe(415);
  const bytes = new Uint8Array([0x61, 0x3d, 0xff]);
  expect((await refusal(() => readForm(post(bytes, FORM)))).status).toBe(400);
});
