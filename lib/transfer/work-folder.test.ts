import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { makeWorkFolder, requireTempRoot } from "./work-folder.ts";

test("a folder for temporary files that can't be written is named, with what to do", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "hf-root-"));
  try {
    await requireTempRoot(root);
    expect(await readdir(root)).toEqual([]);

    const file = path.join(root, "file");
    await writeFile(file, "");
    const refusal = {
      code: "unavailable",
      message: expect.stringMatching(/folder for temporary files, .*\/file: ENOTDIR/),
      remedy: expect.stringContaining("HOLDFAST_TEMP"),
    };
    await expect(requireTempRoot(file)).rejects.toMatchObject(refusal);
    await expect(makeWorkFolder(file)).rejects.toMatchObject(refusal);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
