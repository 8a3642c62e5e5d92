import { z } from "zod";
import { HoldfastError } from "../errors.ts";
import { RequestError } from "./request-error.ts";

/** Files do not travel through the API; the largest body is a database with its certificate. */
export const MAX_BODY_BYTES = 1 << 20;
/** Sign-in and the forms of a page hold a few short fields. */
const MAX_FORM_BYTES = 1 << 16;
const MAX_DEPTH = 32;
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

const strictOnes = new WeakMap<z.ZodType, z.ZodType>();

/** The same shape refusing fields that it does not have: a mistyped filter must not answer with everything. */
export function strict(schema: z.ZodType): z.ZodType {
  if (!(schema instanceof z.ZodObject)) return schema;
  const known = strictOnes.get(schema);
  if (known) return known;
  const made = schema.strict();
  strictOnes.set(schema, made);
  return made;
}

/** Query fields as text; one that is given twice becomes a list, which only list shapes accept. */
export function readQuery(search: URLSearchParams, schema: z.ZodType | undefined): unknown {
  const given = new Map<string, string | string[]>();
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    given.set(name, values.length === 1 ? (values[0] ?? "") : values);
  }
  refusePrototypeKeys([...given.keys()]);
  refuseOddText([...given.values()].flat());
  return strict(schema ?? z.object({})).parse(Object.fromEntries(given));
}

/**
 * The JSON body, parsed by the endpoint's schema; nothing at all counts as `{}`. Throws 413 beyond 1 MiB, 415
 * for another content type, 400 for what is not JSON, `invalid` with fields for the rest.
 */
export async function readBody(request: Request, schema: z.ZodType | undefined): Promise<unknown> {
  const text = await readText(request, MAX_BODY_BYTES);
  const json = text.trim() === "" ? {} : parseJson(request, text);
  refuseOddJson(json);
  const parsed = strict(schema ?? z.object({})).parse(json);
  return schema ? parsed : undefined;
}

/** The fields of a form that a browser has posted; the first of equal names counts. Throws as readFormText. */
export async function readForm(request: Request): Promise<(name: string) => string> {
  const fields = new URLSearchParams(await readFormText(request));
  return (name) => fields.get(name) ?? "";
}

/** A posted form as text. Throws 413 beyond 64 KiB, 415 for what is not application/x-www-form-urlencoded. */
export async function readFormText(request: Request): Promise<string> {
  const type = contentType(request);
  if (type !== "application/x-www-form-urlencoded") {
    throw new RequestError(415, "invalid", `This takes a form; the content type is ${type ?? "not given"}.`);
  }
  return await readText(request, MAX_FORM_BYTES);
}

function contentType(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
}

function parseJson(request: Request, text: string): unknown {
  const type = contentType(request);
  if (type !== "application/json") {
    throw new RequestError(
      415,
      "invalid",
      `The body must be JSON; its content type is ${type ?? "not given"}.`,
      {
        remedy: "Send the header Content-Type: application/json.",
      },
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : "";
    throw new RequestError(400, "invalid", `The body is not JSON: ${detail}.`, { cause: error });
  }
}

/** A body of at most `limit` bytes, as text. Throws 413 as soon as there is more, 400 for what is not UTF-8. */
async function readText(request: Request, limit: number): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > limit) throw tooLarge(limit);
  if (!request.body) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new RequestError(400, "invalid", "The body is not UTF-8 text.", { cause });
  }
}

function tooLarge(limit: number): RequestError {
  return new RequestError(413, "invalid", `The body is larger than ${limit} bytes.`, {
    remedy: "Send less; there is no endpoint that needs more.",
  });
}

/** Level by level, not recursive: the nesting is not ours. */
function refuseOddJson(json: unknown): void {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      throw new HoldfastError("invalid", `The body is nested deeper than ${MAX_DEPTH} levels.`);
    }
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === "string") refuseOddText([value]);
      if (typeof value !== "object" || value === null) continue;
      if (!Array.isArray(value)) refusePrototypeKeys(Object.keys(value));
      for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
}

/** Postgres stores neither NUL nor half a surrogate pair. */
function refuseOddText(texts: string[]): void {
  if (texts.every((text) => text.isWellFormed() && !text.includes("\0"))) return;
  throw new HoldfastError("invalid", "A text holds a NUL character or broken Unicode.");
}

function refusePrototypeKeys(keys: string[]): void {
  const odd = keys.find((key) => PROTOTYPE_KEYS.has(key));
  if (odd === undefined) return;
  throw new HoldfastError("invalid", "Some fields are not right.", {
    fields: Object.fromEntries([[odd === "__proto__" ? "proto" : odd, `A field can't be named ${odd}.`]]),
  });
}
