import type { JsonSchema } from "../openapi.ts";

/** Texts to try on a pattern or a format, plainest first. */
const TEXTS = [
  "sample",
  "sample@example.com",
  "123456",
  "1",
  "/sample/file",
  "0198c5a0-0000-7000-8000-000000000000",
  "2026-01-01T00:00:00.000Z",
  "http://localhost/",
  "sample-12345678",
];

const FORMATS: Record<string, RegExp> = {
  email: /@/,
  uuid: /^[0-9a-f-]{36}$/,
  "date-time": /^\d{4}-/,
  uri: /^http/,
};

/**
 * A value that fits a JSON Schema: required fields only, the first of several shapes. `known` gives the values
 * of fields by name, where the text must name something that exists.
 */
export function sample(schema: JsonSchema, known: Record<string, unknown>): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [first] = schema.oneOf ?? schema.anyOf ?? [];
  if (first) return sample(first, known);
  switch (schema.type) {
    case "object":
      return sampleObject(schema, known);
    case "array":
      return schema.items && (schema as { minItems?: number }).minItems ? [sample(schema.items, known)] : [];
    case "string":
      return sampleText(schema);
    case "integer":
    case "number":
      return Math.max(1, schema.minimum ?? 1);
    case "boolean":
      return false;
    default:
      return null;
  }
}

function sampleObject(schema: JsonSchema, known: Record<string, unknown>): Record<string, unknown> {
  const made = new Map<string, unknown>();
  for (const name of schema.required ?? []) {
    const property = schema.properties?.[name];
    if (property) made.set(name, Object.hasOwn(known, name) ? known[name] : sample(property, known));
  }
  return Object.fromEntries(made);
}

function sampleText({ pattern, format, minLength = 0, maxLength = 1e9 }: JsonSchema): string {
  const fits = (text: string) =>
    (!pattern || new RegExp(pattern, "u").test(text)) && (!format || (FORMATS[format]?.test(text) ?? true));
  const texts = TEXTS.map((text) => text.padEnd(minLength, "x").slice(0, maxLength));
  const found = texts.find(fits);
  if (found === undefined) throw new Error(`No sample fits ${pattern ?? format}: add one.`);
  return found;
}
