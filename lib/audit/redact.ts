import type { Prisma } from "../db/generated/client.ts";

const SECRET_KEY = /pass(word|phrase)?$|secret|token|sealed|credential|private|apikey|api_key|authorization/i;

/** A JSON copy in which every value under a secret-looking key is "[redacted]"; dates become ISO text. */
export function redact(value: Record<string, unknown>): Prisma.InputJsonObject {
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (typeof inner === "bigint") return inner.toString();
    return key !== "" && SECRET_KEY.test(key) && inner !== null && inner !== undefined ? "[redacted]" : inner;
  });
  return JSON.parse(text) as Prisma.InputJsonObject;
}
