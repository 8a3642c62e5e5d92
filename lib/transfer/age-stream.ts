import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
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
  const seal = (chunk: Buffer, last: boolean): Buffer => {
    const cipher = createCipheriv(CIPHER, key, counter.next(last), { authTagLength: TAG });
    const sealed = cipher.update(chunk);
    cipher.final();
    return Buffer.concat([sealed, cipher.getAuthTag()], sealed.length + TAG);
  };
  const chunks = new Chunks(CHUNK);

  const stream = new Transform({
    readableHighWaterMark: 512 * 1024,
    writableHighWaterMark: 512 * 1024,
    transform(input: Buffer, _encoding, done) {
      chunks.feed(input, (chunk) => stream.push(seal(chunk, false)));
      done();
    },
    flush(done) {
      done(null, seal(chunks.rest(), true));
    },
  });
  stream.push(Buffer.concat([header, nonce]));
  return stream;
}

/**
 * The stream decrypts with whichever identity fits. Errors: `unavailable` when none fits; `refused` when the
 * bytes are not what was encrypted, or when they end too early. Only authenticated bytes come out.
 */
export function ageDecrypt(identities: string[]): Transform {
  const counter = new ChunkCounter();
  let key: KeyObject | null = null;
  /** Bytes before the header was whole. */
  let early: Buffer = Buffer.alloc(0);
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

  const chunks = new Chunks(SEALED);
  const open = async (input: Buffer): Promise<void> => {
    let payload = input;
    if (!key) {
      early = await begin(early.length === 0 ? input : Buffer.concat([early, input]));
      if (!key) return;
      payload = early;
    }
    chunks.feed(payload, (chunk) => stream.push(unseal(chunk, false)));
  };

  const stream = new Transform({
    readableHighWaterMark: 512 * 1024,
    writableHighWaterMark: 512 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      open(chunk).then(() => done(), done);
    },
    flush(done) {
      try {
        done(null, unseal(chunks.rest(), true));
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return stream;
}

/** Cuts a stream into pieces of one size. A full one is held back until more comes: it may be the last. */
class Chunks {
  readonly #size: number;
  readonly #held: Buffer;
  #filled = 0;

  constructor(size: number) {
    this.#size = size;
    this.#held = Buffer.allocUnsafeSlow(size);
  }

  /** Gives out each piece that is not the last; it is valid during the call only. */
  feed(input: Buffer, piece: (chunk: Buffer) => void): void {
    for (let at = 0; at < input.length; ) {
      if (this.#filled === this.#size) {
        piece(this.#held);
        this.#filled = 0;
      }
      if (this.#filled === 0 && input.length - at > this.#size) {
        piece(input.subarray(at, at + this.#size));
        at += this.#size;
        continue;
      }
      const copied = input.copy(this.#held, this.#filled, at);
      this.#filled += copied;
      at += copied;
    }
  }

  rest(): Buffer {
    return this.#held.subarray(0, this.#filled);
  }
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

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32)));
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
