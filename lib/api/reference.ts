import type { Endpoint } from "./endpoint.ts";
import type { JsonSchema } from "./openapi.ts";
import { accessText, jsonSchema, operationId, pathParams } from "./openapi.ts";
import { TITLES } from "./problem.ts";

export interface ReferenceField {
  /** "target.name"; "items[].id" inside a list. */
  name: string;
  type: string;
  required: boolean;
  /** Limits, default, pattern; empty when there are none. */
  note: string;
}

export interface ReferenceEndpoint {
  id: string;
  method: string;
  path: string;
  summary: string;
  access: string;
  query: ReferenceField[];
  body: ReferenceField[];
  answer: ReferenceField[];
  /** "201 · application/json". */
  answers: string;
  curl: string;
}

export interface ApiReference {
  groups: { tag: string; endpoints: ReferenceEndpoint[] }[];
  errors: { code: string; title: string }[];
}

const MAX_DEPTH = 5;

/** The endpoints for the readable page, grouped by tag, from the shapes that the OpenAPI document is made of. */
export function apiReference(endpoints: readonly Endpoint[], origin: string): ApiReference {
  const tags = [...new Set(endpoints.map((endpoint) => endpoint.tag))].sort();
  return {
    groups: tags.map((tag) => ({
      tag,
      endpoints: endpoints
        .filter((endpoint) => endpoint.tag === tag)
        .map((endpoint) => referenceOf(endpoint, origin)),
    })),
    errors: Object.entries(TITLES).map(([code, title]) => ({ code, title })),
  };
}

function referenceOf(endpoint: Endpoint, origin: string): ReferenceEndpoint {
  const body = endpoint.body ? fieldsOf(jsonSchema(endpoint.body, "input")) : [];
  const status = endpoint.output || endpoint.streams ? (endpoint.status ?? 200) : 204;
  const types = endpoint.streams ?? (endpoint.output ? ["application/json"] : []);
  return {
    id: operationId(endpoint),
    method: endpoint.method,
    path: endpoint.path,
    summary: endpoint.summary,
    access: accessText(endpoint),
    query: endpoint.query ? fieldsOf(jsonSchema(endpoint.query, "input")) : [],
    body,
    answer: endpoint.output ? fieldsOf(jsonSchema(endpoint.output, "output")) : [],
    answers: [String(status), ...types].join(" · "),
    curl: curlOf(endpoint, origin, body),
  };
}

function curlOf(endpoint: Endpoint, origin: string, body: ReferenceField[]): string {
  const path = pathParams(endpoint.path).reduce(
    (text, name) => text.replace(`{${name}}`, `$${name.toUpperCase()}`),
    endpoint.path,
  );
  const lines = [
    `curl ${endpoint.method === "GET" ? "" : `-X ${endpoint.method} `}"${origin}/api/v1${path}"`,
  ];
  if (endpoint.permission !== null) lines.push(`-H "Authorization: Bearer $HOLDFAST_TOKEN"`);
  const required = body.filter((field) => field.required && !/[.[(]/.test(field.name));
  if (endpoint.body) {
    const example = Object.fromEntries(required.map(({ name, type }) => [name, exampleOf(type)]));
    lines.push(`-H "Content-Type: application/json"`, `-d '${JSON.stringify(example)}'`);
  }
  return lines.join(" \\\n  ");
}

function exampleOf(type: string): unknown {
  if (type.endsWith("[]")) return [];
  if (type.startsWith('"')) return JSON.parse(type.split(" | ")[0] ?? '""');
  if (type === "integer" || type === "number") return 1;
  if (type === "boolean") return true;
  return type === "string" ? "…" : {};
}

function fieldsOf(schema: JsonSchema, prefix = "", depth = 0): ReferenceField[] {
  if (depth > MAX_DEPTH) return [];
  return variantsOf(schema).flatMap(({ label, shape }) =>
    Object.entries(shape.properties ?? {}).flatMap(([key, property]) => {
      const name = `${prefix}${label}${key}`;
      const required = shape.required?.includes(key) ?? false;
      const own = { name, type: typeText(property), required, note: noteOf(property) };
      return [own, ...nestedFields(property, name, depth)];
    }),
  );
}

function nestedFields(property: JsonSchema, name: string, depth: number): ReferenceField[] {
  const inner = withoutNull(property);
  if (inner.type === "array" && inner.items) return fieldsOf(inner.items, `${name}[].`, depth + 1);
  return fieldsOf(inner, `${name}.`, depth + 1);
}

/** The shapes an object may have; each of several is labelled by its constant field, as in "(new) ". */
function variantsOf(schema: JsonSchema): { label: string; shape: JsonSchema }[] {
  const shapes = (schema.oneOf ?? schema.anyOf ?? []).filter((shape) => shape.type === "object");
  if (shapes.length === 0) return [{ label: "", shape: schema }];
  if (shapes.length === 1 && shapes[0]) return [{ label: "", shape: shapes[0] }];
  return shapes.map((shape) => {
    const kind = Object.values(shape.properties ?? {}).find(
      (property) => property.const !== undefined,
    )?.const;
    return { label: kind === undefined ? "" : `(${String(kind)}) `, shape };
  });
}

function withoutNull(schema: JsonSchema): JsonSchema {
  const shapes = (schema.anyOf ?? []).filter((shape) => shape.type !== "null");
  return shapes.length === 1 && shapes[0] ? shapes[0] : schema;
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const shapes = schema.oneOf ?? schema.anyOf;
  if (shapes) return [...new Set(shapes.map(typeText))].join(" | ");
  if (schema.type === "array") {
    const inner = schema.items ? typeText(schema.items) : "any";
    return inner.includes(" ") ? `(${inner})[]` : `${inner}[]`;
  }
  if (Array.isArray(schema.type)) return schema.type.join(" | ");
  return schema.type ?? "any";
}

function noteOf(schema: JsonSchema): string {
  const inner = withoutNull(schema);
  const notes: string[] = [];
  if (inner.default !== undefined) notes.push(`default ${JSON.stringify(inner.default)}`);
  const low = inner.minimum;
  const high =
    inner.maximum !== undefined && inner.maximum < Number.MAX_SAFE_INTEGER ? inner.maximum : undefined;
  if (low !== undefined && low > Number.MIN_SAFE_INTEGER) notes.push(`at least ${low}`);
  if (high !== undefined) notes.push(`at most ${high}`);
  if (inner.maxLength !== undefined) notes.push(`up to ${inner.maxLength} characters`);
  if (inner.format) notes.push(inner.format);
  else if (inner.pattern) notes.push(inner.pattern);
  return notes.join(", ");
}
