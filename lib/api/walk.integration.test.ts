import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emitAudit } from "../audit/emit.ts";
import { leastRole, roleAllows } from "../auth/permissions.ts";
import type { Role } from "../context.ts";
import { asSystem } from "../context.ts";
import { newId } from "../ids.ts";
import { createInvite } from "../members/create-invite.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { createPolicy } from "../policies/create-policy.ts";
import { createToken } from "../tokens/create-token.ts";
import type { Endpoint } from "./endpoint.ts";
import { jsonSchema, pathParams } from "./openapi.ts";
import { endpoints } from "./registry.ts";
import { sample } from "./testing/sample.ts";
import type { CallOptions, TestApi } from "./testing/test-api.ts";
import { createTestApi } from "./testing/test-api.ts";

/** What needs no sign-in, and why: the claim, an invitation's link, and what the API looks like. */
const OPEN = ["POST /claim", "POST /invites/accept", "GET /openapi.json"];
const ROLES: Role[] = ["viewer", "operator", "admin"];
/** Objects that stand in an environment, and so may be out of somebody's limits. */
const LIMITED = new Set(["database", "backup", "operation"]);
/** Longest time for an answer that waits for a worker: there is none here. */
const PATIENCE_MS = 3000;

let api: TestApi;
let params: Record<string, string>;
let fields: Record<string, unknown>;
const sessions = new Map<Role, string>();
/** An admin's token that is limited to staging; every object of the walk stands in production. */
let limitedToken: string;

beforeAll(async () => {
  api = await createTestApi();
  for (const role of ROLES) sessions.set(role, (await makeMember(api.base, { role })).sessionId);
  const system = asSystem(api.base, "walk");
  const made = await createToken(system, { name: "limited", role: "admin", environments: ["staging"] });
  limitedToken = made.token;
  params = await seed();
  const { password } = await makeMember(api.base);
  fields = {
    ...params,
    database: "walk-production",
    current: password,
    email: "walk-2@example.com",
    q: "walk",
  };
});
afterAll(async () => {
  await api.close();
});

/** One of each thing that a path can name. */
async function seed(): Promise<Record<string, string>> {
  const { db } = api.base;
  const system = asSystem(api.base, "walk");
  const environment = await db.environment.findUniqueOrThrow({ where: { name: "production" } });
  const database = await db.database.create({
    data: {
      id: newId(),
      name: "walk-production",
      engine: "sqlite",
      application: "walk",
      environmentId: environment.id,
      connection: { file: "/nonexistent/walk.sqlite" },
    },
  });
  await db.$transaction((tx) =>
    emitAudit(tx, system, {
      action: "database.create",
      object: { kind: "database", id: database.id, name: database.name },
    }),
  );
  const operationId = newId();
  const backupId = newId();
  await db.operation.create({
    data: {
      id: operationId,
      rootId: operationId,
      kind: "run-backup",
      state: "succeeded",
      title: "Back up walk-production",
      pool: "default",
      payload: {},
      actorKind: "system",
      actorName: "walk",
      trigger: "system",
      databaseId: database.id,
      backupId,
    },
  });
  const backup = { id: backupId, databaseId: database.id, operationId, state: "complete" as const };
  await db.backup.create({ data: { ...backup, trigger: "click", path: `walk/${backupId}` } });
  const destination = await db.destination.findUniqueOrThrow({ where: { name: "local" } });
  await db.copy.create({
    data: { id: newId(), backupId, destinationId: destination.id, state: "stored", path: `walk/${backupId}` },
  });
  const policy = await createPolicy(system, {
    name: "walk-nightly",
    databases: [database.name],
    destinations: ["local"],
    schedule: { kind: "daily", at: "02:15" },
  });
  const run = newId();
  await db.policyRun.create({
    data: {
      id: run,
      policyId: policy.id,
      dueAt: new Date(0),
      state: "missed",
      trigger: "schedule",
      actorName: policy.name,
      items: { create: [{ databaseId: database.id, startAt: new Date(0), state: "skipped" }] },
    },
  });
  const member = await makeMember(api.base, { role: "viewer" });
  const invite = await createInvite(system, { email: "walk@example.com", name: "Walk", role: "viewer" });
  const token = await createToken(system, { name: "walk", role: "viewer" });
  return {
    database: database.id,
    backup: backupId,
    operation: operationId,
    environment: "production",
    destination: destination.id,
    member: member.user.id,
    session: member.sessionId,
    invite: invite.id,
    token: token.id,
    policy: policy.name,
    run,
    artefact: "dump",
    worker: newId(),
  };
}

function pathOf(endpoint: Endpoint, values: Record<string, string>): string {
  return endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The walk makes no {${name}}: add one to seed().`);
    return encodeURIComponent(value);
  });
}

function inputOf(endpoint: Endpoint): { query: string; body: unknown } {
  const body = endpoint.body ? sample(jsonSchema(endpoint.body, "input"), fields) : undefined;
  const query = endpoint.query ? sample(jsonSchema(endpoint.query, "input"), fields) : {};
  const text = new URLSearchParams(query as Record<string, string>).toString();
  return { query: text ? `?${text}` : "", body };
}

/** Calls the endpoint with fitting input; a stream is closed once it has begun. */
async function walk(
  endpoint: Endpoint,
  who: CallOptions,
  values: Record<string, string> = params,
): Promise<{ status: number; text: string }> {
  const { query, body } = inputOf(endpoint);
  const stop = new AbortController();
  const patience = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const options = { ...who, signal: stop.signal, ...(body === undefined ? {} : { body }) };
    const path = `${pathOf(endpoint, values)}${query}`;
    const response = await api.call(endpoints, endpoint.method, path, options);
    const streams = endpoint.streams && response.status < 300;
    if (streams) await response.body?.cancel();
    return { status: response.status, text: streams ? "" : await response.text() };
  } finally {
    clearTimeout(patience);
    stop.abort();
  }
}

/** What a call that was refused must not have left behind. */
async function traces(): Promise<unknown> {
  const { db } = api.base;
  return [await db.auditEvent.count(), await db.operation.count(), await db.liveEvent.count()];
}

const table = endpoints.map((endpoint) => ({ name: `${endpoint.method} ${endpoint.path}`, endpoint }));

test("only what is known to need no sign-in needs none, and no two endpoints are the same", () => {
  const open = table.filter(({ endpoint }) => endpoint.permission === null).map(({ name }) => name);
  expect(open.sort()).toEqual([...OPEN].sort());
  const shapes = table.map(({ name }) => name.replaceAll(/\{\w+\}/g, "{}"));
  expect(shapes.filter((shape, index) => shapes.indexOf(shape) !== index)).toEqual([]);
});

describe.each(table.filter(({ endpoint }) => endpoint.permission !== null))("$name", ({ endpoint }) => {
  const { permission } = endpoint;
  if (permission === null) return;

  test("nobody, and whoever has too low a role, is refused and leaves no trace", async () => {
    const before = await traces();
    expect((await walk(endpoint, { origin: "http://localhost:3000" })).status).toBe(401);
    expect((await walk(endpoint, { token: `hf_${"x".repeat(43)}` })).status).toBe(401);
    for (const role of ROLES.filter((one) => !roleAllows(one, permission))) {
      const { status, text } = await walk(endpoint, { session: sessions.get(role) });
      expect({ role, status, text }).toMatchObject({ role, status: 403 });
      expect(JSON.parse(text)).toMatchObject({ code: "forbidden", detail: expect.any(String) });
    }
    expect(await traces()).toEqual(before);
  });

  test("another site's page can't write with the cookie", async () => {
    if (endpoint.method === "GET") return;
    const before = await traces();
    const { status } = await walk(endpoint, {
      session: sessions.get("admin"),
      origin: "http://evil.example",
    });
    expect(status).toBe(403);
    expect(await traces()).toEqual(before);
  });

  test("whoever is limited to another environment sees and does nothing here", async () => {
    const { status, text } = await walk(endpoint, { token: limitedToken });
    const limited = pathParams(endpoint.path).some((name) => LIMITED.has(name));
    const free = permission === "read" || permission === "account.own";
    if (limited) expect({ status, text }).toMatchObject({ status: 404 });
    else if (!free) expect([403, 404]).toContain(status);
    else expect(text).not.toContain("walk-production");
    expect(status).not.toBe(500);
  });

  test("whoever has the role gets through, and odd ids are no fault of ours", async () => {
    for (const role of ROLES.filter((one) => one !== "admin" && roleAllows(one, permission))) {
      const { status, text } = await walk(endpoint, { session: sessions.get(role) });
      expect({ role, text, ok: status < 500 && status !== 401 && status !== 403 }).toMatchObject({
        ok: true,
      });
    }
    const admin = { session: sessions.get("admin") };
    const odd = ["x", newId(), "a b'\"\\%", "é".repeat(200)].filter((text) => !text.includes("\\"));
    for (const value of pathParams(endpoint.path).length > 0 ? odd : []) {
      const values = Object.fromEntries(pathParams(endpoint.path).map((name) => [name, value]));
      const { status, text } = await walk(endpoint, admin, values);
      expect({ value, text, status }).toMatchObject({
        status: expect.toSatisfy((code: number) => code < 500),
      });
    }
    const { status, text } = await walk(endpoint, admin);
    expect({ text, ok: status < 500 && status !== 401 && status !== 403 }).toMatchObject({ ok: true });
  });
});

test("every permission that an endpoint names has a least role that it is documented with", () => {
  for (const { endpoint } of table) {
    if (endpoint.permission !== null) expect(ROLES).toContain(leastRole(endpoint.permission));
  }
});
