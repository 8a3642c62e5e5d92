import { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { HoldfastError } from "../../errors.ts";
import { isMissing, s3Code, s3Fault } from "./s3-faults.ts";
import type { S3Config } from "./s3-schema.ts";

/** Times that a broken download goes on where it broke, without a byte in between. */
const RESUMES = 3;

interface Part {
  body: Readable;
  etag: string | undefined;
  /** Offset of the object's last byte that is wanted. */
  end: number;
}

/**
 * Streams an object, or the bytes `range.start` to `range.end`. A connection that breaks on the way is taken up again
 * at the same byte of the same version. Throws `not_found`, or `invalid` for a range outside of it.
 */
export async function openS3Reader(
  client: S3Client,
  config: S3Config,
  object: { key: string; path: string; range?: { start: number; end: number } | undefined },
): Promise<Readable> {
  const start = object.range?.start ?? 0;
  const first = await get(client, config, object, start, object.range?.end, undefined);
  return Readable.from(resuming(client, config, object, first, start), {
    objectMode: false,
    highWaterMark: 512 * 1024,
  });
}

async function* resuming(
  client: S3Client,
  config: S3Config,
  object: { key: string; path: string },
  first: Part,
  start: number,
): AsyncGenerator<Buffer> {
  let at = start;
  let part = first;
  for (let failures = 0; ; ) {
    try {
      for await (const chunk of part.body as AsyncIterable<Buffer>) {
        at += chunk.length;
        failures = 0;
        yield chunk;
      }
      // A connection that is closed in the middle can look like an end.
      if (at > part.end) return;
      throw new Error("the store ended the download too early");
    } catch (error) {
      part.body.destroy();
      if (++failures > RESUMES) throw s3Fault(error, config);
      const { etag, end } = part;
      part = await get(client, config, object, at, end, etag);
    }
  }
}

async function get(
  client: S3Client,
  config: S3Config,
  { key, path }: { key: string; path: string },
  start: number,
  end: number | undefined,
  etag: string | undefined,
): Promise<Part> {
  try {
    const whole = start === 0 && end === undefined;
    const { Body, ETag, ContentLength, ContentRange } = await client.send(
      new GetObjectCommand({
        Bucket: config.bucket,
        Key: key,
        ...(whole ? {} : { Range: `bytes=${start}-${end ?? ""}` }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
    );
    if (!(Body instanceof Readable)) throw new Error("the store answered without a body");
    if (!whole && !ContentRange) throw new Error("the store does not read parts of objects");
    return { body: Body, etag: ETag, end: start + (ContentLength ?? 0) - 1 };
  } catch (error) {
    if (isMissing(error)) throw new HoldfastError("not_found", `${path} is not in ${config.bucket}.`);
    const code = s3Code(error);
    if (code === "InvalidRange" || code === "416") {
      throw new HoldfastError("invalid", `The range asked for is outside of ${path}.`);
    }
    throw s3Fault(error, config);
  }
}
