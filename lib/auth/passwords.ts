import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

interface Params {
  /** log2 of the work factor N. */
  ln: number;
  r: number;
  p: number;
}

/** OWASP Password Storage Cheat Sheet, scrypt: N = 2^17, r = 8, p = 1 (128 MiB per hash). */
const CURRENT: Params = { ln: 17, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Hashes at once in one process; each holds 128 MiB. */
const AT_ONCE = 2;

const SHAPE = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

let running = 0;
const waiting: (() => void)[] = [];

async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function derive(password: string, salt: Buffer, { ln, r, p }: Params, length: number): Promise<Buffer> {
  const N = 2 ** ln;
  // Compared as typed on any keyboard: NIST SP 800-63B 5.1.1.2 asks for one Unicode normal form.
  const text = password.normalize("NFKC");
  return limited(
    () =>
      new Promise((resolve, reject) => {
        scrypt(text, salt, length, { N, r, p, maxmem: 129 * N * r + (1 << 20) }, (error, key) =>
          error ? reject(error) : resolve(key),
        );
      }),
  );
}

const unpadded = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");

/** "$scrypt$ln=17,r=8,p=1$<salt>$<hash>", the PHC string format. `params` differ from the current ones in tests only. */
export async function hashPassword(password: string, params: Params = CURRENT): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, params, HASH_BYTES);
  return `$scrypt$ln=${params.ln},r=${params.r},p=${params.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Whether the password is the stored one, and whether it should be hashed again with the current parameters. */
export async function verifyPassword(
  password: string,
  stored: string,
): Promise<{ ok: boolean; outdated: boolean }> {
  const match = SHAPE.exec(stored);
  if (!match) throw new Error("A stored password hash has an unknown format.");
  const [, ln, r, p, salt = "", hash = ""] = match;
  const params = { ln: Number(ln), r: Number(r), p: Number(p) };
  const expected = Buffer.from(hash, "base64");
  const found = await derive(password, Buffer.from(salt, "base64"), params, expected.length);
  const outdated = params.ln !== CURRENT.ln || params.r !== CURRENT.r || params.p !== CURRENT.p;
  return { ok: timingSafeEqual(found, expected), outdated };
}

/** Costs what verifyPassword costs, for accounts that do not exist. */
export async function pretendVerify(password: string): Promise<void> {
  await derive(password, Buffer.alloc(SALT_BYTES), CURRENT, HASH_BYTES);
}
