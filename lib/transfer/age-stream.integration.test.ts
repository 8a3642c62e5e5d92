import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ageDecrypt, ageEncrypt } from "./age-stream.ts";

const run = promisify(execFile);

/** Cut into pieces of odd sizes, as a pipe would. */
function pieces(content: Buffer, size: number): Readable {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) parts.push(content.subarray(at, at + size));
  return Readable.from(parts);
}

async function encrypt(content: Buffer, recipients: string[], size = 70_001): Promise<Buffer> {
  return await buffer(pieces(content, size).pipe(await ageEncrypt(recipients)));
}

function decrypt(sealed: Buffer, identities: string[], size = 70_001): Promise<Buffer> {
  return buffer(pieces(sealed, size).compose(ageDecrypt(identities)));
}

const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_003];

describe("age streams", () => {
  let folder: string;
  let server: string;
  let recovery: string;
  let recipients: string[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-age-"));
    server = await generateX25519Identity();
    recovery = await generateX25519Identity();
    recipients = [await identityToRecipient(server), await identityToRecipient(recovery)];
    await writeFile(join(folder, "recovery.txt"), `# a comment\n${recovery}\n`, { mode: 0o600 });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(SIZES)("are read by the age program and package: %i bytes", async (size) => {
    const content = randomBytes(size);
    const sealed = await encrypt(content, recipients);
    const file = join(folder, `out-${size}.age`);
    await writeFile(file, sealed);
    const options = { encoding: "buffer", maxBuffer: 2_000_000 } as const;
    const plain = await run("age", ["-d", "-i", join(folder, "recovery.txt"), file], options);
    expect(plain.stdout.equals(content)).toBe(true);
    const decrypter = new Decrypter();
    decrypter.addIdentity(server);
    expect(Buffer.from(await decrypter.decrypt(sealed)).equals(content)).toBe(true);
    expect((await decrypt(sealed, [server])).equals(content)).toBe(true);
  });

  it.each(SIZES)("read what the age program and package made: %i bytes", async (size) => {
    const content = randomBytes(size);
    const file = join(folder, `in-${size}`);
    await writeFile(file, content);
    await run("age", ["-r", recipients[0] ?? "", "-o", `${file}.age`, file]);
    const other = await generateX25519Identity();
    expect((await decrypt(await readFile(`${file}.age`), [other, server])).equals(content)).toBe(true);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipients[1] ?? "");
    const sealed = Buffer.from(await encrypter.encrypt(content));
    expect((await decrypt(sealed, [recovery], 4001)).equals(content)).toBe(true);
  });

  it("tells a wrong key from a damaged file", async () => {
    const sealed = await encrypt(randomBytes(200_000), recipients);
    await expect(decrypt(sealed, [await generateX25519Identity()])).rejects.toMatchObject({
      code: "unavailable",
    });
    await expect(decrypt(sealed, [])).rejects.toMatchObject({ code: "unavailable" });
  });

  it("gives nothing out of a flipped bit, wherever it is", async () => {
    const sealed = await encrypt(randomBytes(200_000), recipients);
    for (const at of [0, 30, 80, 260, 500, 70_000, sealed.length - 1]) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await expect(decrypt(altered, [server]), `byte ${at}`).rejects.toThrow();
    }
  });

  it("refuses a cut tail, also on a chunk's border", async () => {
    const content = randomBytes(65_536 * 3);
    const sealed = await encrypt(content, recipients);
    const header = sealed.length - content.length - 3 * 16;
    for (const length of [
      sealed.length - 1,
      header + 65_552 * 2,
      header + 65_552,
      header,
      header - 5,
      10,
      0,
    ]) {
      await expect(decrypt(sealed.subarray(0, length), [server]), `${length} bytes`).rejects.toMatchObject({
        code: "refused",
      });
    }
  });

  it("refuses more behind the end", async () => {
    const sealed = await encrypt(randomBytes(1000), recipients);
    await expect(decrypt(Buffer.concat([sealed, Buffer.from("x")]), [server])).rejects.toMatchObject({
      code: "refused",
    });
  });

  it("refuses what is no recipient", async () => {
    await expect(ageEncrypt(["age1nonsense"])).rejects.toThrow();
    await expect(ageEncrypt([])).rejects.toThrow();
  });
});
