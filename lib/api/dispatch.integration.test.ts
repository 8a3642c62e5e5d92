import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { UNATTENDED_HEADER } from "../api-client.ts";
import { IDLE_MS } from "../auth/resolve-session.ts";
import { stillAllowed } from "../auth/still-allowed.ts";
import { HoldfastError } from "../errors.ts";
import type { TestMember } from "../members/testing/make-member.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { createToken } from "../tokens/create-token.ts";
import { endpoint } from "./endpoint.ts";
import type { CallOptions, TestApi } from "./testing/test-api.ts";
import { createTestApi } from "./testing/test-api.ts";
import { ASKED_METHOD_HEADER } from "./unusual-method.ts";

const logged: string[] = [];
let api: TestApi;
let admin: TestMember;
let token: string;
let ran = 0;
let during: () => Promise<void> = async () => undefined;

const thing = z.object({ id: z.string(), name: z.string() });
const common = { tag: "t", summary: "s", permission: "read" } as const;
const endpoints = [
  endpoint({
    ...common,
    method: "GET",
    path: "/things/{thing}",
    output: thing,
    handle: async (_ctx, { params }) => ({ id: params.thing, name: "a", passwordHash: "leak" }),
  }),
  endpoint({
    ...common,
    method: "POST",
    path: "/things",
    body: z.object({ name: z.string().min(1), boom: z.enum(["known", "unknown"]).optional() }),
    output: thing,
    status: 201,
    handle: async (_ctx, { body }) => {
      ran += 1;
      await during();
      if (body.boom === "known") {
        throw new HoldfastError("conflict", "Somebody was faster.", {
          remedy: "Look again.",
          fields: { name: "taken" },
        });
      }
      if (body.boom === "unknown") throw new Error("connection string postgres://u:hunter2@h/d");
      return { id: String(ran), name: body.name };
    },
  }),
  endpoint({
    ...common,
    method: "DELETE",
    path: "/things/{thing}",
    status: 204,
    handle: async () => undefined,
  }),
  endpoint({ ...common, method: "GET", path: "/bad", output: thing, handle: async () => ({ id: 1 }) }),
  endpoint({
    ...common,
    method: "GET",
    path: "/live",
    streams: ["text/event-stream"],
    handle: async (ctx) => new Response(`data: ${await stillAllowed(ctx)}\n\n`),
  }),
  endpoint({
    ...common,
    method: "GET",
    path: "/file",
    streams: ["text/plain"],
    handle: async () => new Response("line\n", { headers: { "content-type": "text/plain" } }),
  }),
];

const call = (method: string, path: string, options: CallOptions = {}) =>
  api.call(endpoints, method, path, {
    ...(options.session || options.token === "" ? {} : { token }),
    ...options,
  });
const problem = async (response: Response) => (await response.json()) as Record<string, unknown>;

beforeAll(async () => {
  api = await createTestApi(pino({ level: "error" }, { write: (line: string) => void logged.push(line) }));
  admin = await makeMember(api.base);
  ({ token } = await createToken(admin.ctx, { name: "t", role: "admin" }));
});
beforeEach(() => {
  ran = 0;
  during = async () => undefined;
});
afterAll(async () => {
  await api.close();
});

test("an answer has only what is described, and is not to be stored", async () => {
  const response = await call("GET", "/things/x");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ id: "x", name: "a" });
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  const gone = await call("DELETE", "/things/x");
  expect([gone.status, await gone.text()]).toEqual([204, ""]);
});

test("HEAD, OPTIONS and wrong methods", async () => {
  const head = await call("HEAD", "/things/x");
  expect([head.status, await head.text()]).toEqual([200, ""]);
  const options = await call("OPTIONS", "/things/x", { token: "" });
  expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, DELETE, HEAD, OPTIONS"]);
  const wrong = await call("PUT", "/things/x", { body: {} });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, DELETE, HEAD, OPTIONS"]);
  const unusual = await call("OPTIONS", "/things/x", {
    token: "",
    headers: { [ASKED_METHOD_HEADER]: "TRACE" },
  });
  expect([unusual.status, unusual.headers.get("allow")]).toEqual([405, "GET, DELETE, HEAD, OPTIONS"]);
  expect(await problem(unusual)).toMatchObject({ detail: expect.stringContaining("TRACE") });
  expect((await call("HEAD", "/file")).status).toBe(405);
  expect(await (await call("GET", "/file")).text()).toBe("line\n");
});

test.each([
  "/nothing",
  "/things/a%2Fb",
  "/things//",
  "/things/",
  "/things/%zz",
  "/__proto__",
  "/constructor",
  "/",
])("%s is not found, in problem+json", async (path) => {
  const response = await call("GET", path);
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await problem(response)).toMatchObject({
    status: 404,
    code: "not_found",
    requestId: expect.any(String),
  });
});

test("nobody, a bad token and a bad cookie are refused", async () => {
  const nobody = await call("GET", "/things/x", { token: "" });
  expect([nobody.status, nobody.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="holdfast"']);
  expect(
    (await call("GET", "/things/x", { headers: { authorization: "Basic abc" }, token: "" })).status,
  ).toBe(401);
  // A wrong token is not made good by a right cookie.
  const both = await api.call(endpoints, "GET", "/things/x", { session: admin.sessionId, token: "hf_wrong" });
  expect(both.status).toBe(401);
  const forged = await call("GET", "/things/x", {
    token: "",
    headers: { cookie: "holdfast.session=eyJhbGciOiJub25lIn0.e30." },
  });
  expect(forged.status).toBe(401);
});

test("writes by cookie must come from our own pages; tokens need no origin", async () => {
  const { sessionId: session } = admin;
  const write = (origin: string | null | undefined) =>
    api.call(endpoints, "POST", "/things", {
      session,
      body: { name: "a" },
      ...(origin === undefined ? {} : { origin }),
    });
  expect((await write(undefined)).status).toBe(201);
  expect((await write("http://127.0.0.1:3000")).status).toBe(201);
  for (const origin of [
    null,
    "null",
    "https://localhost:3000",
    "http://localhost:3001",
    "http://evil.example",
  ]) {
    const refused = await write(origin);
    expect(refused.status).toBe(403);
    expect(await problem(refused)).toMatchObject({
      code: "forbidden",
      remedy: expect.stringContaining("HOLDFAST_URL"),
    });
  }
  expect((await call("POST", "/things", { body: { name: "a" } })).status).toBe(201);
  const read = await api.call(endpoints, "GET", "/things/x", { session, origin: "http://evil.example" });
  expect(read.status).toBe(200);
});

test("a revoked session and a temporary password stop at once", async () => {
  const member = await makeMember(api.base);
  const get = () => api.call(endpoints, "GET", "/things/x", { session: member.sessionId });
  expect((await get()).status).toBe(200);
  await api.base.db.user.update({ where: { id: member.user.id }, data: { mustChangePassword: true } });
  expect((await get()).status).toBe(403);
  await api.base.db.user.update({ where: { id: member.user.id }, data: { mustChangePassword: false } });
  await api.base.db.session.update({ where: { id: member.sessionId }, data: { revokedAt: new Date() } });
  expect((await get()).status).toBe(401);
});

test("a page that is open without anybody at it does not keep its session from going idle", async () => {
  const member = await makeMember(api.base);
  const where = { id: member.sessionId };
  const seen = new Date(Date.now() - 3_600_000);
  await api.base.db.session.update({ where, data: { lastSeenAt: seen } });
  const get = (path: string, headers: Record<string, string> = {}) =>
    api.call(endpoints, "GET", path, { session: member.sessionId, headers });
  const lastSeen = async () => (await api.base.db.session.findUniqueOrThrow({ where })).lastSeenAt;

  const live = await get("/live");
  expect([live.status, await live.text()]).toEqual([200, "data: true\n\n"]);
  expect((await get("/things/x", { [UNATTENDED_HEADER]: "1" })).status).toBe(200);
  expect(await lastSeen()).toEqual(seen);
  expect((await get("/things/x")).status).toBe(200);
  expect((await lastSeen()).getTime()).toBeGreaterThan(seen.getTime());

  await api.base.db.session.update({ where, data: { lastSeenAt: new Date(Date.now() - IDLE_MS) } });
  expect((await get("/live")).status).toBe(401);
});

test("what people should know is told, what they should not is logged under the request id", async () => {
  const known = await call("POST", "/things", { body: { name: "a", boom: "known" } });
  expect(await problem(known)).toMatchObject({
    type: "/api-docs#error-conflict",
    status: 409,
    detail: "Somebody was faster.",
    remedy: "Look again.",
    fields: { name: "taken" },
  });
  const invalid = await call("POST", "/things", { body: { name: "" } });
  expect(invalid.status).toBe(422);
  expect(await problem(invalid)).toMatchObject({ fields: { name: expect.any(String) } });

  for (const failing of [
    call("POST", "/things", { body: { name: "a", boom: "unknown" } }),
    call("GET", "/bad"),
  ]) {
    const response = await failing;
    expect(response.status).toBe(500);
    const body = await problem(response);
    expect(JSON.stringify(body)).not.toMatch(/hunter2|expected/);
    expect(logged.join("")).toContain(String(body.requestId));
  }
});

test("an idempotency key: the same request is done once", async () => {
  const post = (body: unknown, key = "k-1") =>
    call("POST", "/things", { body, headers: { "idempotency-key": key } });
  const first = await post({ name: "a" });
  const second = await post({ name: "a" });
  expect(await second.json()).toEqual(await first.json());
  expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
  expect(ran).toBe(1);
  const other = await post({ name: "b" });
  expect([other.status, (await problem(other)).code]).toEqual([422, "invalid"]);
  expect((await post({ name: "a" }, "two words")).status).toBe(422);
  const row = await api.base.db.idempotencyKey.findFirstOrThrow({ where: { key: "k-1" } });
  expect(JSON.stringify(row.response)).toMatch(/sealed":"v1\./);

  // Somebody else's key is another key.
  const { token: theirs } = await createToken(admin.ctx, { name: "u", role: "admin" });
  const apart = await call("POST", "/things", {
    token: theirs,
    body: { name: "b" },
    headers: { "idempotency-key": "k-1" },
  });
  expect(apart.status).toBe(201);
});

test("an idempotency key: who may do less by now does not get the stored answer", async () => {
  const { token, id } = await createToken(admin.ctx, { name: "t", role: "admin" });
  const post = () =>
    call("POST", "/things", { token, body: { name: "a" }, headers: { "idempotency-key": "k-5" } });
  expect((await post()).status).toBe(201);
  expect((await post()).headers.get("idempotency-replayed")).toBe("true");
  await api.base.db.apiToken.update({ where: { id }, data: { role: "viewer" } });
  expect((await post()).status).toBe(422);
});

test("an idempotency key: while the first is at work the second is told so; after an error the key is free", async () => {
  let inside: () => void = () => undefined;
  let release: () => void = () => undefined;
  const entered = new Promise<void>((resolve) => {
    inside = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  during = () => {
    inside();
    return gate;
  };
  const headers = { "idempotency-key": "k-2" };
  const slow = call("POST", "/things", { body: { name: "a" }, headers });
  await entered;
  const early = await call("POST", "/things", { body: { name: "a" }, headers });
  expect([early.status, early.headers.get("retry-after")]).toEqual([409, "2"]);
  release();
  expect((await slow).status).toBe(201);
  expect(ran).toBe(1);

  during = async () => undefined;
  const failing = { body: { name: "a", boom: "known" }, headers: { "idempotency-key": "k-3" } };
  expect((await call("POST", "/things", failing)).status).toBe(409);
  expect(await api.base.db.idempotencyKey.count({ where: { key: "k-3" } })).toBe(0);
});

test("an idempotency key is forgotten after a day", async () => {
  const headers = { "idempotency-key": "k-4" };
  await call("POST", "/things", { body: { name: "a" }, headers });
  await api.base.db.idempotencyKey.updateMany({
    where: { key: "k-4" },
    data: { createdAt: new Date(Date.now() - 25 * 3600_000) },
  });
  await call("POST", "/things", { body: { name: "a" }, headers });
  expect(ran).toBe(2);
});
