import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { TocEntry } from "./archive-toc.ts";
import { peekToc } from "./archive-toc.ts";

const byte = (value: number) => Buffer.from([value]);
const int = (value: number) => {
  const bytes = Buffer.alloc(5);
  bytes[0] = value < 0 ? 1 : 0;
  bytes.writeUInt32LE(Math.abs(value), 1);
  return bytes;
};
const text = (value: string | null) =>
  value === null ? int(-1) : Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);

/** An archive with two entries and some data, as pg_dump writes it. */
function archive(minor: number): Buffer {
  const entry = (id: number, kind: string, tag: string, definition: string) => [
    int(id),
    int(0),
    text("1259"),
    text("16384"),
    text(tag),
    text(kind),
    int(2),
    text(definition),
    text(""),
    text(null),
    text("public"),
    text(""),
    ...(minor >= 14 ? [text("heap")] : []),
    ...(minor >= 16 ? [int(114)] : []),
    text("owner"),
    text("false"),
    text("12"),
    text(null),
    byte(2),
    Buffer.alloc(8),
  ];
  return Buffer.concat([
    Buffer.from("PGDMP"),
    byte(1),
    byte(minor),
    byte(0),
    byte(4),
    byte(8),
    byte(1),
    minor >= 15 ? byte(0) : int(0),
    ...[1, 2, 3, 4, 5, 126, 0].map(int),
    text("shop"),
    text("17.2"),
    text("17.4 (Debian)"),
    int(2),
    ...entry(1, "TABLE", "orders", "CREATE TABLE é;\n"),
    ...entry(2, "VIEW", "v", "CREATE VIEW v;\n"),
    Buffer.from("data"),
  ]);
}

/** In pieces of that many bytes. */
const inPieces = (bytes: Buffer, size: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_one, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    ),
  );

describe("peekToc", () => {
  it.each([
    [12, 1],
    [14, 7],
    [15, 64],
    [16, 1],
    [16, 100_000],
  ])("reads format 1.%i in pieces of %i bytes, and gives it all again", async (minor, size) => {
    const bytes = archive(minor);
    const entries: TocEntry[] = [];
    const { head, stream } = await peekToc(inPieces(bytes, size), (entry) => entries.push(entry));
    expect(head).toEqual({
      format: `1.${minor}`,
      databaseName: "shop",
      serverVersion: "17.2",
      dumpVersion: "17.4 (Debian)",
      entryCount: 2,
    });
    expect(entries.map(({ id, kind, tag }) => [id, kind, tag])).toEqual([
      [1, "TABLE", "orders"],
      [2, "VIEW", "v"],
    ]);
    expect(entries[0]).toMatchObject({
      schema: "public",
      owner: "owner",
      definition: "CREATE TABLE é;\n",
      tableAccessMethod: minor >= 14 ? "heap" : "",
    });
    expect(await buffer(stream)).toEqual(bytes);
  });

  it.each([
    ["nothing", Buffer.alloc(0), /ends before/],
    ["something else", Buffer.from("SQLite format 3\0"), /does not begin with PGDMP/],
    ["an unknown version", Buffer.concat([Buffer.from("PGDMP"), Buffer.from([1, 99, 0])]), /format 1\.99/],
    ["a part", archive(14).subarray(0, 150), /ends before/],
  ])("rejects %s", async (_what, bytes, says) => {
    await expect(peekToc(Readable.from([bytes]))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(says),
    });
  });

  it("passes on what the source failed with", async () => {
    const source = new Readable({ read() {} });
    source.push(archive(14).subarray(0, 50));
    setImmediate(() => source.destroy(new Error("wrong key")));
    await expect(peekToc(source)).rejects.toThrow("wrong key");
  });

  it("destroys its source with the stream", async () => {
    const source = inPieces(archive(14), 20);
    const { stream } = await peekToc(source);
    stream.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
  });
});
