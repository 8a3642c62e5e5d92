import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveToken } from "../../lib/auth/resolve-token.ts";
import { systemClock } from "../../lib/context.ts";
import { makeEnvironment } from "../../lib/databases/testing/make-database.ts";
import { createLogger } from "../../lib/logger.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";

let meta: TestDb;
beforeAll(async () => {
  meta = await createTestDb();
});
afterAll(async () => {
  await meta.drop();
});

async function holdfast(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, ["bin/cli/main.ts", ...args], {
    env: { NODE_ENV: "test", PATH: process.env.PATH, DATABASE_URL: meta.url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

test("token create on the host: limits may be repeated, and wrong ones are named", async () => {
  const base = { db: meta.db, clock: systemClock, log: createLogger("test", "error") };
  await makeEnvironment(meta.db, "staging");
  const command = ["token", "create", "--name", "ci", "--role", "operator"];
  const limits = ["--application", "shop", "--application", "billing", "--environment", "staging"];
  const made = await holdfast(...command, ...limits);
  expect(made).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^hf_\S{43}\n$/) });
  expect((await resolveToken(base, made.out.trim()))?.actor).toMatchObject({
    role: "operator",
    scope: { environments: ["staging"], applications: ["shop", "billing"] },
  });
  expect(await holdfast(...command, "--application", "Not a name")).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringMatching(/applications\.0: .*lower-case/),
  });
  expect(await holdfast(...command, "--environment", "nowhere")).toMatchObject({
    code: 2,
    err: expect.stringContaining("There is no environment nowhere."),
  });
});
