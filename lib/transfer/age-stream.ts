import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Transform } from "node:stream";
import { Decrypter, Encrypter, type Stanza } from "age-encryption";
import { HoldfastError } from "../errors.ts";

// The age file format, age-encryption.org/v1 (C2SP/age.md): the header, with its key wrapping and MAC, is made
// and read by the age-encryption package; the payload (STREAM of 64 KiB chunks, ChaCha20-Poly1305) is sealed
// here with the runtime's native cipher, which is about ten times as fast as one in JavaScript.
const CHUNK = 64 * 1024;
const TAG = 16;
const SEALED = CHUNK + TAG;
const NONCE = 16;
const CIPHER = "chacha20-poly1305";
const LARGEST_HEADER = 64 * 1024;

/** The stream encrypts to all recipients ("age1…"). Throws when one is not a recipient. */
export async function ageEncrypt(recipients: string[]): Promise<Transform> {
  const { header, fileKey } = await makeHeader(recipients);
  const nonce = randomBytes(NONCE);
  const key = payloadKey(fileKey, nonce);
  const counter = new ChunkCounter();
  const seal = (chunk: Buffer, last: boolean): Buffer[] => {
    const cipher = createCipheriv(CIPHER, key, counter.next(last), { authTagLength: TAG });
    return [cipher.update(chunk), cipher.final(), cipher.getAuthTag()];
  };
  let started = false;
  // A full chunk is held back until more comes, because the last one is sealed with another nonce.
  let rest: Buffer = Buffer.alloc(0);

  return new Transform({
    readableHighWaterMark: 512 * 1024,
    writableHighWaterMark: 512 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      const out: Buffer[] = started ? [] : [header, nonce];
      started = true;
      const input = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (; input.length - at > CHUNK; at += CHUNK) out.push(...seal(input.subarray(at, at + CHUNK), false));
      rest = Buffer.from(input.subarray(at));
      done(null, out.length === 0 ? undefined : Buffer.concat(out));
    },
    flush(done) {
      const out = started ? [] : [header, nonce];
      done(null, Buffer.concat([...out, ...seal(rest, true)]));
    },
  });
}

/**
 * The stream decrypts with whichever identity fits. Errors: `unavailable` when none fits; `refused` when the
 * bytes are not what was encrypted, or when they end too early. Only authenticated bytes come out.
 */
export function ageDecrypt(identities: string[]): Transform {
  const counter = new ChunkCounter();
  let key: Buffer | null = null;
  let rest: Buffer = Buffer.alloc(0);
  let first = true;
  const unseal = (chunk: Buffer, last: boolean): Buffer => {
    if (!key || chunk.length < TAG) throw damaged("it ends too early");
    const decipher = createDecipheriv(CIPHER, key, counter.next(last), { authTagLength: TAG });
    decipher.setAuthTag(chunk.subarray(chunk.length - TAG));
    const plain = decipher.update(chunk.subarray(0, chunk.length - TAG));
    try {
      decipher.final();
    } catch (cause) {
      throw damaged("a part of it is not what was encrypted, or its end is missing", cause);
    }
    if (last && !first && plain.length === 0) throw damaged("its last part is empty");
    first = false;
    return plain;
  };

  const begin = async (input: Buffer): Promise<Buffer> => {
    const end = headerEnd(input);
    if (end === -1 || input.length < end + NONCE) {
      if (input.length > LARGEST_HEADER) throw damaged("it has no age header");
      return input;
    }
    const fileKey = await openHeader(input.subarray(0, end), identities);
    key = payloadKey(fileKey, input.subarray(end, end + NONCE));
    return input.subarray(end + NONCE);
  };

  const open = async (chunk: Buffer): Promise<Buffer | undefined> => {
    let input = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!key) input = await begin(input);
    const out: Buffer[] = [];
    let at = 0;
    if (key) {
      for (; input.length - at > SEALED; at += SEALED)
        out.push(unseal(input.subarray(at, at + SEALED), false));
    }
    rest = Buffer.from(input.subarray(at));
    return out.length === 0 ? undefined : Buffer.concat(out);
  };

  return new Transform({
    readableHighWaterMark: 512 * 1024,
    writableHighWaterMark: 512 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      open(chunk).then((plain) => done(null, plain), done);
    },
    flush(done) {
      try {
        done(null, unseal(rest, true));
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function damaged(detail: string, cause?: unknown): HoldfastError {
  return new HoldfastError("refused", `The encrypted file is damaged: ${detail}.`, { cause });
}

/** Encrypts nothing, so that the package makes the header; a recipient of ours sees the file key. */
async function makeHeader(recipients: string[]): Promise<{ header: Buffer; fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const seen: Uint8Array[] = [];
  encrypter.addRecipient({
    wrapFileKey(key: Uint8Array): Stanza[] {
      seen.push(Uint8Array.from(key));
      return [];
    },
  });
  const empty = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
  const header = empty.subarray(0, empty.length - NONCE - TAG);
  const fileKey = seen[0];
  if (!fileKey || recipients.length === 0 || headerEnd(header) !== header.length) {
    throw new Error("no age header could be made");
  }
  return { header, fileKey };
}

async function openHeader(header: Buffer, identities: string[]): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    if (cause instanceof Error && cause.message.startsWith("no identity matched")) {
      throw new HoldfastError("unavailable", "None of the keys here opens this file.", {
        remedy: "Put the identity that it was encrypted to back into the key folder (keys/identity.txt).",
        cause,
      });
    }
    throw damaged("its header is not what was written", cause);
  }
}

/** Offset behind the header's last line ("--- <MAC>"), or -1 when that is not there yet. */
function headerEnd(bytes: Buffer): number {
  const mac = bytes.subarray(0, LARGEST_HEADER).indexOf("\n--- ");
  const end = mac === -1 ? -1 : bytes.indexOf(0x0a, mac + 1);
  return end === -1 ? -1 : end + 1;
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

/** Nonces of the STREAM: 11 bytes big-endian count, then 1 for the last chunk, else 0. */
class ChunkCounter {
  #count = 0n;

  next(last: boolean): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(this.#count++, 3);
    nonce[11] = last ? 1 : 0;
    return nonce;
  }
}
