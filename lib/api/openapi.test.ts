import { expect, test } from "vitest";
import { z } from "zod";
import { pageOf, pageQuery } from "../paging.ts";
import { endpoint } from "./endpoint.ts";
import { openApiDocument } from "./openapi.ts";
import { apiReference } from "./reference.ts";
import { endpoints } from "./registry.ts";

interface Dict {
  [key: string]: Dict | undefined;
}

const thing = z.object({
  id: z.string(),
  at: z.string().nullable(),
  tags: z.array(z.object({ key: z.string() })),
});
const small = [
  endpoint({
    method: "GET",
    path: "/things",
    tag: "Things",
    summary: "Things",
    permission: "read",
    query: z.object({ ...pageQuery, state: z.enum(["up", "down"]).optional() }),
    output: pageOf(thing),
    handle: async () => null,
  }),
  endpoint({
    method: "POST",
    path: "/things/{thing}/move",
    tag: "Things",
    summary: "Move a thing",
    permission: "database.write",
    status: 202,
    body: z.object({
      to: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("new"), name: z.string().max(9) }),
        z.object({ kind: z.literal("over"), confirm: z.string() }),
      ]),
      jobs: z.number().int().min(1).max(16).default(2),
    }),
    output: thing,
    handle: async () => null,
  }),
];

test("the document says what requests and answers look like", () => {
  const document = openApiDocument(small, "http://h") as unknown as Dict;
  expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "http://h/api/v1" }] });
  const list = document.paths?.["/things"]?.get as unknown as {
    parameters: { name: string; required: boolean }[];
  };
  expect(list.parameters.map(({ name, required }) => [name, required])).toEqual([
    ["cursor", false],
    ["limit", false],
    ["state", false],
  ]);
  expect(document.paths?.["/things/{thing}/move"]?.post).toMatchObject({
    operationId: "postThingsThingMove",
    description: "Needs the role admin (database.write).",
    parameters: [
      { name: "thing", in: "path", required: true },
      { $ref: "#/components/parameters/IdempotencyKey" },
    ],
    requestBody: {
      content: { "application/json": { schema: { required: ["to"], additionalProperties: false } } },
    },
    responses: { 202: { content: { "application/json": {} } }, default: {} },
  });
});

test("the page names every field with its type and limits", () => {
  const { groups } = apiReference(small, "http://h");
  const [list, move] = groups[0]?.endpoints ?? [];
  expect(list?.query).toContainEqual({
    name: "limit",
    type: "integer",
    required: false,
    note: "default 50, at least 1, at most 200",
  });
  expect(list?.answer.map(({ name, type }) => [name, type])).toEqual([
    ["items", "object[]"],
    ["items[].id", "string"],
    ["items[].at", "string | null"],
    ["items[].tags", "object[]"],
    ["items[].tags[].key", "string"],
    ["nextCursor", "string | null"],
  ]);
  expect(move?.body.map(({ name }) => name)).toEqual([
    "to",
    "to.(new) kind",
    "to.(new) name",
    "to.(over) kind",
    "to.(over) confirm",
    "jobs",
  ]);
  expect(move?.curl).toContain('-X POST "http://h/api/v1/things/$THING/move"');
});

test("every endpoint of the registry can be described, each under its own id", () => {
  const document = openApiDocument(endpoints, "http://h") as unknown as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const ids = Object.values(document.paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  );
  expect(ids).toHaveLength(endpoints.length);
  expect(new Set(ids).size).toBe(ids.length);
  expect(() => JSON.stringify(document)).not.toThrow();
  const described = apiReference(endpoints, "http://h").groups.flatMap((group) => group.endpoints);
  expect(described).toHaveLength(endpoints.length);
});
