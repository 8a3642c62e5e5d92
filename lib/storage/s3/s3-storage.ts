import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { HoldfastError, isHoldfastError } from "../../errors.ts";
import { MARKER, markerText, readMarker } from "../marker.ts";
import { pathSegments, prefixSegments } from "../paths.ts";
import type { ObjectInfo, ObjectWriter, Storage, StorageTest } from "../storage.ts";
import { tryOut } from "../try-out.ts";
import { s3Client } from "./s3-client.ts";
import { isDenied, isMissing, isTaken, isUnsupported, s3Code, s3Fault } from "./s3-faults.ts";
import { openS3Reader } from "./s3-reader.ts";
import type { S3Config } from "./s3-schema.ts";
import { openS3Writer, type PartRules, partRules } from "./s3-writer.ts";

export interface S3Options {
  /** Of this install; the marker must carry it. */
  installId: string;
  /** Sizes of the parts of an upload. */
  parts?: PartRules;
  /** Silence in milliseconds after which a request is tried again. */
  silenceMs?: number;
}

/** A bucket of an S3-compatible store, or a folder in one. Objects are immutable, as everywhere. */
export function s3Storage(config: S3Config, secret: string, options: S3Options): Storage {
  return new S3Storage(config, secret, options);
}

class S3Storage implements Storage {
  readonly kind = "s3";
  readonly capabilities = { sameHost: false, freeSpace: false };
  readonly #config: S3Config;
  readonly #client: S3Client;
  readonly #options: S3Options;
  #checked: Promise<void> | null = null;

  constructor(config: S3Config, secret: string, options: S3Options) {
    this.#config = config;
    this.#client = s3Client(config, secret, options.silenceMs);
    this.#options = options;
  }

  async init(how: { createRoot?: boolean } = {}): Promise<void> {
    const { bucket } = this.#config;
    if (how.createRoot) await this.#createBucket();
    const Body = Buffer.from(markerText(this.#options.installId));
    const put = { Bucket: bucket, Key: this.#key(MARKER), Body, ContentType: "application/json" };
    // Looked at first: not every store knows conditional writes, and a locked one must not get a second version.
    const there = await this.#readMarkerText().catch((error: unknown) => {
      if (isDenied(error)) return null;
      throw s3Fault(error, this.#config);
    });
    if (there === null) {
      try {
        await this.#client.send(new PutObjectCommand({ ...put, IfNoneMatch: "*" })).catch(async (error) => {
          if (!isUnsupported(error)) throw error;
          await this.#client.send(new PutObjectCommand(put));
        });
      } catch (error) {
        if (!isTaken(error)) throw s3Fault(error, this.#config);
      }
    }
    await this.#check();
  }

  async test(): Promise<StorageTest> {
    return await tryOut(this, this.#place());
  }

  async write(path: string): Promise<ObjectWriter> {
    const key = this.#object(path);
    await this.#check();
    const parts = this.#options.parts ?? partRules(this.#config.maxParts);
    return await openS3Writer({ client: this.#client, config: this.#config, path, key, parts });
  }

  async read(path: string, range?: { start: number; end: number }): Promise<Readable> {
    const key = this.#object(path);
    await this.#check();
    return await openS3Reader(this.#client, this.#config, { key, path, range });
  }

  async stat(path: string): Promise<ObjectInfo | null> {
    const key = this.#object(path);
    await this.#check();
    try {
      const head = await this.#client.send(new HeadObjectCommand({ Bucket: this.#config.bucket, Key: key }));
      return { path, bytes: head.ContentLength ?? 0, modifiedAt: head.LastModified ?? new Date(0) };
    } catch (error) {
      if (isMissing(error)) return null;
      throw s3Fault(error, this.#config);
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const below = this.#below(prefix);
    await this.#check();
    let token: string | undefined;
    do {
      const page = await this.#ask(
        new ListObjectsV2Command({ Bucket: this.#config.bucket, Prefix: below, ContinuationToken: token }),
      );
      for (const { Key = "", Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
        const path = Key.slice(this.#key("").length);
        if (!path.split("/").some((name) => name.startsWith(".") || name === "")) {
          yield { path, bytes: Size, modifiedAt: LastModified };
        }
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(path: string): Promise<void> {
    const key = this.#object(path);
    await this.#check();
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#config.bucket, Key: key }));
    } catch (error) {
      if (isMissing(error)) return;
      throw s3Fault(error, this.#config);
    }
  }

  async sweep(prefix: string): Promise<number> {
    const below = this.#below(prefix);
    await this.#check();
    const found: { Key: string; UploadId: string }[] = [];
    let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | null = {};
    while (next) {
      const ask: ListMultipartUploadsCommandInput = { Bucket: this.#config.bucket, Prefix: below, ...next };
      const page: ListMultipartUploadsCommandOutput | null = await this.#client
        .send(new ListMultipartUploadsCommand(ask))
        .catch((error: unknown) => {
          // A store that can't list them drops them by its own rules.
          if (isUnsupported(error)) return null;
          throw s3Fault(error, this.#config);
        });
      for (const { Key, UploadId } of page?.Uploads ?? []) {
        if (Key?.startsWith(below) && UploadId) found.push({ Key, UploadId });
      }
      next = page?.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : null;
    }
    for (const upload of found) {
      await this.#client
        .send(new AbortMultipartUploadCommand({ Bucket: this.#config.bucket, ...upload }))
        .catch((error: unknown) => {
          if (s3Code(error) !== "NoSuchUpload") throw s3Fault(error, this.#config);
        });
    }
    return found.length;
  }

  /** Whose bucket this is; asked once. Credentials that may only write are believed. */
  async #check(): Promise<void> {
    this.#checked ??= this.#readMarkerText().then(
      (marker) => {
        if (marker !== null) return readMarker(marker, this.#options.installId, this.#place());
        throw new HoldfastError("unavailable", `${this.#place()} is not prepared for backups.`, {
          remedy: "If its content is gone for good, add a new destination.",
        });
      },
      (error: unknown) => {
        if (!isDenied(error)) throw s3Fault(error, this.#config);
      },
    );
    try {
      await this.#checked;
    } catch (error) {
      this.#checked = null;
      throw error;
    }
  }

  async #readMarkerText(): Promise<string | null> {
    try {
      const object = { key: this.#key(MARKER), path: MARKER };
      return await text(await openS3Reader(this.#client, this.#config, object));
    } catch (error) {
      if (isHoldfastError(error) && error.code === "not_found") return null;
      throw isHoldfastError(error) ? (error.cause ?? error) : error;
    }
  }

  async #createBucket(): Promise<void> {
    const { bucket, region, endpoint, objectLock } = this.#config;
    // Amazon's first region is the one that must not be named.
    const named = endpoint === undefined && region !== "us-east-1";
    try {
      await this.#client.send(
        new CreateBucketCommand({
          Bucket: bucket,
          ...(objectLock ? { ObjectLockEnabledForBucket: true } : {}),
          ...(named ? { CreateBucketConfiguration: { LocationConstraint: region as "eu-central-1" } } : {}),
        }),
      );
    } catch (error) {
      if (s3Code(error) === "BucketAlreadyOwnedByYou") return;
      if (s3Code(error) === "BucketAlreadyExists") {
        throw new HoldfastError("conflict", `The bucket ${bucket} belongs to somebody else.`, {
          remedy: "Choose another name.",
          fields: { "config.bucket": "is taken" },
        });
      }
      throw s3Fault(error, this.#config);
    }
  }

  async #ask(command: ListObjectsV2Command) {
    try {
      return await this.#client.send(command);
    } catch (error) {
      throw s3Fault(error, this.#config);
    }
  }

  #object(path: string): string {
    return this.#key(pathSegments(path).join("/"));
  }

  #below(prefix: string): string {
    const segments = prefixSegments(prefix);
    return this.#key(segments.length === 0 ? "" : `${segments.join("/")}/`);
  }

  #key(path: string): string {
    const { prefix } = this.#config;
    return prefix === "" ? path : `${prefix}/${path}`;
  }

  #place(): string {
    const { bucket, prefix } = this.#config;
    return prefix === "" ? `The bucket ${bucket}` : `${prefix} in the bucket ${bucket}`;
  }
}
