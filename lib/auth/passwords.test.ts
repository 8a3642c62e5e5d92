import { expect, test } from "vitest";
import { hashPassword, pretendVerify, verifyPassword } from "./passwords.ts";

const cheap = { ln: 4, r: 8, p: 1 };

test("a hash has the current OWASP parameters and verifies", async () => {
  const stored = await hashPassword("correct horse battery");
  expect(stored).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await verifyPassword("correct horse battery", stored)).toEqual({ ok: true, outdated: false });
  expect((await verifyPassword("correct horse batterz", stored)).ok).toBe(false);
});

test("other parameters verify and ask to be hashed again", async () => {
  const stored = await hashPassword("correct horse battery", cheap);
  expect(await verifyPassword("correct horse battery", stored)).toEqual({ ok: true, outdated: true });
});

test("equal passwords have different hashes, and equal texts in other Unicode forms are equal", async () => {
  const composed = await hashPassword("Zürich Zürich", cheap);
  expect(composed).not.toBe(await hashPassword("Zürich Zürich", cheap));
  expect((await verifyPassword("Zu\u0308rich Zu\u0308rich", composed)).ok).toBe(true);
});

test("many at once all end, in spite of the limit", async () => {
  await Promise.all([
    ...Array.from({ length: 6 }, () => hashPassword("x", cheap)),
    pretendVerify("no such account"),
  ]);
});

test("an unknown format is an error and not a wrong password", async () => {
  await expect(verifyPassword("x", "$2b$10$abc")).rejects.toThrow("unknown format");
});
