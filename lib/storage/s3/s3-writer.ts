import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { HoldfastError } from "../../errors.ts";
import type { ObjectInfo, ObjectWriter } from "../storage.ts";
import { isMissing, isTaken, isUnsupported, s3Fault } from "./s3-faults.ts";
import type { S3Config } from "./s3-schema.ts";

/** Sizes of the parts of an upload: they begin small, and double after so many. */
export interface PartRules {
  firstBytes: number;
  doubleAfter: number;
}

/** Of most stores, Amazon's included; some take 1,000. */
const MOST_PARTS = 10_000;

/** Ten sizes from 8 MiB to 4 GiB: 10,000 parts make 8 TB, more than an object may have; 1,000 make 857 GB. */
export function partRules(mostParts = MOST_PARTS): PartRules {
  return { firstBytes: 8 * 1024 * 1024, doubleAfter: Math.floor(mostParts / 10) };
}

/** Part uploads at once: memory is this many parts and the one being filled. */
const IN_FLIGHT = 3;
/** Memory for parts; larger ones go up fewer at a time. */
const MEMORY = 128 * 1024 * 1024;

export interface S3Target {
  client: S3Client;
  config: S3Config;
  /** Relative to the destination's root. */
  path: string;
  /** In the bucket. */
  key: string;
  parts: PartRules;
}

/** Bytes of the n-th part, from 1. */
export function partBytes(number: number, { firstBytes, doubleAfter }: PartRules): number {
  return firstBytes * 2 ** Math.floor((number - 1) / doubleAfter);
}

/**
 * Writes one object: a small one in one request at commit, a larger one in parts as they come. Throws `conflict` when
 * there is an object of that name.
 */
export async function openS3Writer(target: S3Target): Promise<ObjectWriter> {
  await refuseTaken(target);
  return new S3Writer(target);
}

async function refuseTaken({ client, config, key, path }: S3Target): Promise<void> {
  try {
    await client.send(new HeadObjectCommand({ Bucket: config.bucket, Key: key }));
  } catch {
    // Missing, or credentials that may only write: the conditional write tells, then.
    return;
  }
  throw taken(path);
}

function taken(path: string): HoldfastError {
  return new HoldfastError("conflict", `There is an object ${path} already; objects are never replaced.`);
}

class S3Writer implements ObjectWriter {
  readonly stream: Writable;
  readonly #target: S3Target;
  readonly #stop = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #done: CompletedPart[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  #bytes = 0;
  #number = 0;
  #upload: Promise<string> | null = null;
  #fault: unknown = null;
  #committed = false;

  constructor(target: S3Target) {
    this.#target = target;
    this.stream = new Writable({
      highWaterMark: 512 * 1024,
      write: (chunk: Buffer, _encoding, done) => {
        this.#take(chunk).then(() => done(), done);
      },
    });
    // Whoever writes hears of it; an abort destroys it while nobody listens.
    this.stream.on("error", () => undefined);
  }

  async commit(): Promise<ObjectInfo> {
    const { config, path } = this.#target;
    if (!this.stream.writableFinished || this.#stop.signal.aborted) {
      throw new HoldfastError("unavailable", `${path} was not written to its end.`);
    }
    try {
      if (this.#upload === null) await this.#putWhole();
      else await this.#complete(await this.#upload);
    } catch (error) {
      if (isTaken(error)) throw taken(path);
      throw s3Fault(error, config);
    }
    this.#committed = true;
    await this.#lock();
    return { path, bytes: this.#bytes, modifiedAt: new Date() };
  }

  async abort(): Promise<void> {
    if (this.#committed) return;
    const { client, config, key } = this.#target;
    this.#stop.abort();
    this.stream.destroy();
    this.#held = [];
    const upload = await this.#upload?.catch(() => null);
    await Promise.allSettled(this.#inFlight);
    if (!upload) return;
    try {
      await client.send(
        new AbortMultipartUploadCommand({ Bucket: config.bucket, Key: key, UploadId: upload }),
      );
    } catch (error) {
      if (!isMissing(error) && !isUnsupported(error) && !isGone(error)) throw s3Fault(error, config);
    }
    this.#upload = null;
  }

  async #take(chunk: Buffer): Promise<void> {
    if (this.#fault) throw this.#fault;
    for (let rest = chunk; rest.length > 0; ) {
      const room = partBytes(this.#number + 1, this.#target.parts) - this.#heldBytes;
      // The bytes are the writer's until it is called back: kept parts are copies.
      const piece = Buffer.from(rest.subarray(0, room));
      this.#held.push(piece);
      this.#heldBytes += piece.length;
      this.#bytes += piece.length;
      rest = rest.subarray(room);
      if (piece.length === room) await this.#sendPart();
    }
  }

  /** Begins the upload of what is held, and waits until there is room for more. */
  async #sendPart(): Promise<void> {
    const body = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    const number = ++this.#number;
    this.#upload ??= this.#create();
    const upload = await this.#upload;
    const sending = this.#uploadPart(upload, number, body).catch((error: unknown) => {
      this.#fault ??= s3Fault(error, this.#target.config);
      this.#stop.abort();
    });
    this.#inFlight.add(sending);
    void sending.finally(() => this.#inFlight.delete(sending));
    const most = Math.max(1, Math.min(IN_FLIGHT, Math.floor(MEMORY / body.length) - 1));
    while (this.#inFlight.size >= most) await Promise.race(this.#inFlight);
    if (this.#fault) throw this.#fault;
  }

  async #create(): Promise<string> {
    const { client, config, key } = this.#target;
    try {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket: config.bucket, Key: key, ...objectOptions(config) }),
        { abortSignal: this.#stop.signal },
      );
      if (UploadId) return UploadId;
      throw new Error("the store began no upload");
    } catch (error) {
      throw s3Fault(error, config);
    }
  }

  async #uploadPart(upload: string, number: number, body: Buffer): Promise<void> {
    const { client, config, key } = this.#target;
    const { ETag } = await client.send(
      new UploadPartCommand({
        Bucket: config.bucket,
        Key: key,
        UploadId: upload,
        PartNumber: number,
        Body: body,
        ContentLength: body.length,
        ...contentMd5(config, body),
      }),
      { abortSignal: this.#stop.signal },
    );
    this.#done.push({ ETag, PartNumber: number });
  }

  async #complete(upload: string): Promise<void> {
    const { client, config, key } = this.#target;
    if (this.#heldBytes > 0) await this.#sendPart();
    await Promise.all(this.#inFlight);
    if (this.#fault) throw this.#fault;
    const Parts = this.#done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const finish = { Bucket: config.bucket, Key: key, UploadId: upload, MultipartUpload: { Parts } };
    // An answer that is lost leaves open whether it was done: the size tells.
    await client
      .send(new CompleteMultipartUploadCommand({ ...finish, IfNoneMatch: "*" }))
      .catch(async (error) => {
        if (isTaken(error)) throw error;
        if (isUnsupported(error)) return await client.send(new CompleteMultipartUploadCommand(finish));
        if (!isGone(error) || !(await this.#isWhole())) throw error;
        return undefined;
      });
  }

  async #putWhole(): Promise<void> {
    const { client, config, key } = this.#target;
    const body = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    const put = {
      Bucket: config.bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ...objectOptions(config),
      ...contentMd5(config, body),
    };
    await client
      .send(new PutObjectCommand({ ...put, IfNoneMatch: "*" }), { abortSignal: this.#stop.signal })
      .catch(async (error: unknown) => {
        if (!isUnsupported(error)) throw error;
        return await client.send(new PutObjectCommand(put), { abortSignal: this.#stop.signal });
      });
  }

  /** Some stores (Ceph) forget the lock that an upload in parts was begun with. */
  async #lock(): Promise<void> {
    const { client, config, key } = this.#target;
    if (!config.objectLock || this.#upload === null) return;
    const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate } = lockOptions(
      config.objectLock,
    );
    const lock = { Bucket: config.bucket, Key: key, Retention: { Mode, RetainUntilDate } };
    try {
      await client.send(new PutObjectRetentionCommand(lock));
    } catch (error) {
      throw s3Fault(error, config);
    }
  }

  async #isWhole(): Promise<boolean> {
    const { client, config, key } = this.#target;
    const head = await client
      .send(new HeadObjectCommand({ Bucket: config.bucket, Key: key }))
      .catch(() => null);
    return head?.ContentLength === this.#bytes;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && error.name === "NoSuchUpload";
}

/** The store refuses a body that arrives altered. Amazon's gets a CRC of its client's own. */
function contentMd5(config: S3Config, body: Buffer): { ContentMD5?: string } {
  if (config.endpoint === undefined && !config.objectLock) return {};
  return { ContentMD5: createHash("md5").update(body).digest("base64") };
}

function objectOptions(config: S3Config) {
  const { storageClass, serverSideEncryption, kmsKeyId, objectLock } = config;
  return {
    ContentType: "application/octet-stream",
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as "STANDARD" }),
    ...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(objectLock === undefined ? {} : lockOptions(objectLock)),
  };
}

function lockOptions({ mode, days }: NonNullable<S3Config["objectLock"]>) {
  return { ObjectLockMode: mode, ObjectLockRetainUntilDate: new Date(Date.now() + days * 86_400_000) };
}
