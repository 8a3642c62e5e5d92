import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { digestSchema, openArchive } from "./archive-stream.ts";

const same = (error: unknown) => error;

it("a digest that is called off rejects with the reason, and with nothing unheard beside it", async () => {
  const controller = new AbortController();
  const command = { program: "/bin/sleep", args: ["300"], tempDir: tmpdir(), signal: controller.signal };
  const digest = digestSchema(command, same);
  controller.abort(new Error("called off"));
  await expect(digest).rejects.toThrow("called off");
});

it("the program's failure reaches the stream's reader and `done`", async () => {
  const { stream, done } = openArchive({ program: "/bin/false", args: [], tempDir: tmpdir() }, same);
  const heard = new Promise<Error>((resolve) => stream.once("error", resolve));
  stream.resume();
  await expect(done).rejects.toThrow("false");
  expect((await heard).message).toContain("false");
});
