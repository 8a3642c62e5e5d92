import { z } from "zod";
import { leastRole } from "../auth/permissions.ts";
import type { Endpoint } from "./endpoint.ts";
import { TITLES } from "./problem.ts";
import { strict } from "./read-request.ts";

export interface JsonSchema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  format?: string;
  pattern?: string;
  default?: unknown;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  additionalProperties?: boolean | JsonSchema;
}

/** JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it) of what is sent (`input`) or answered (`output`). */
export function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const shape = io === "input" ? strict(schema) : schema;
  const { $schema: _, ...made } = z.toJSONSchema(shape, { io, unrepresentable: "any" }) as JsonSchema & {
    $schema?: string;
  };
  return made;
}

export function operationId({ method, path }: Endpoint): string {
  const words = path
    .replaceAll(/[{}]/g, "")
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  const rest = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
  return `${method.toLowerCase()}${rest}`;
}

/** Who may call it, in a sentence. */
export function accessText(endpoint: Endpoint): string {
  if (endpoint.permission === null) return "Needs no sign-in.";
  return `Needs the role ${leastRole(endpoint.permission)} (${endpoint.permission}).`;
}

export function pathParams(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].flatMap((match) => (match[1] ? [match[1]] : []));
}

function parameters(endpoint: Endpoint): unknown[] {
  const inPath = pathParams(endpoint.path).map((name) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = endpoint.query ? jsonSchema(endpoint.query, "input") : {};
  const inQuery = Object.entries(query.properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: query.required?.includes(name) ?? false,
    schema,
  }));
  const idempotent = endpoint.method === "POST" && !endpoint.streams && endpoint.permission !== null;
  return [...inPath, ...inQuery, ...(idempotent ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : [])];
}

function responses(endpoint: Endpoint): Record<string, unknown> {
  const status = endpoint.output || endpoint.streams ? (endpoint.status ?? 200) : 204;
  const types = endpoint.streams ?? (endpoint.output ? ["application/json"] : []);
  const schema = endpoint.output ? jsonSchema(endpoint.output, "output") : { type: "string" };
  const content = Object.fromEntries(types.map((type) => [type, { schema }]));
  const description = { 200: "Done", 201: "Made", 202: "Queued", 204: "Done" }[status];
  return {
    [status]: { description, ...(types.length > 0 ? { content } : {}) },
    default: { $ref: "#/components/responses/Problem" },
  };
}

/** The OpenAPI 3.1 document of all endpoints, made from the same zod shapes that parse requests and answers. */
export function openApiDocument(endpoints: readonly Endpoint[], server: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const item = paths[endpoint.path] ?? {};
    paths[endpoint.path] = item;
    item[endpoint.method.toLowerCase()] = {
      operationId: operationId(endpoint),
      tags: [endpoint.tag],
      summary: endpoint.summary,
      description: accessText(endpoint),
      ...(endpoint.permission === null ? { security: [] } : {}),
      parameters: parameters(endpoint),
      ...(endpoint.body
        ? { requestBody: { content: { "application/json": { schema: jsonSchema(endpoint.body, "input") } } } }
        : {}),
      responses: responses(endpoint),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Holdfast", version: "1", description: ABOUT },
    servers: [{ url: `${server}/api/v1` }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    paths,
    components: COMPONENTS,
  };
}

const ABOUT =
  'Lists are {"items": […], "nextCursor"}; pass nextCursor back as cursor. Times are ISO 8601 in UTC, sizes are bytes. ' +
  "Errors are problem+json (RFC 9457). A POST with an Idempotency-Key is done once however often it is sent within 24 hours.";

const text = { type: "string" };
const COMPONENTS = {
  securitySchemes: {
    token: { type: "http", scheme: "bearer", description: "An API token: hf_…" },
    session: { type: "apiKey", in: "cookie", name: "holdfast.session" },
  },
  parameters: {
    IdempotencyKey: {
      name: "Idempotency-Key",
      in: "header",
      required: false,
      schema: { type: "string", minLength: 1, maxLength: 255 },
      description: "Any text of your own, new for each new request.",
    },
  },
  responses: {
    Problem: {
      description: "An error",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  },
  schemas: {
    Problem: {
      type: "object",
      required: ["type", "title", "status", "detail", "code", "requestId"],
      properties: {
        type: text,
        title: text,
        status: { type: "integer" },
        detail: { ...text, description: "What happened and why." },
        code: { ...text, enum: Object.keys(TITLES) },
        requestId: text,
        remedy: { ...text, description: "What to do about it." },
        fields: { type: "object", additionalProperties: text, description: "Message per field." },
      },
    },
  },
};
