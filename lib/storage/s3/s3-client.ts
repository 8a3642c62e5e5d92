import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { forbiddenHost, isForbiddenAddress } from "../../network/forbidden-address.ts";
import { guardedLookup } from "../../network/guarded-lookup.ts";
import type { S3Config } from "./s3-schema.ts";

/** Requests of one destination at once: parts of one object, and a little beside them. */
const SOCKETS = 8;
const CONNECT_MS = 10_000;
/** Silence on a connection after which a request has failed, and is tried again. */
const SILENCE_MS = 45_000;
/** One and three more, with growing pauses; "503 slow down" is among what is tried again. */
const ATTEMPTS = 4;

/**
 * A client for one destination. Stores other than Amazon's get no checksum trailers that they were not asked for:
 * several of them (B2, R2, OVH, older Ceph) refuse or mangle these. Each body has its MD5 instead, which all know.
 * Throws `invalid` for an address that Holdfast never connects to; names are judged when they are resolved.
 */
export function s3Client(config: S3Config, secret: string, silenceMs = SILENCE_MS): S3Client {
  const amazon = config.endpoint === undefined;
  if (config.endpoint !== undefined) refuseForbidden(config.endpoint);
  const agent = { maxSockets: SOCKETS, keepAlive: true, lookup: guardedLookup() };
  return new S3Client({
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    region: config.region,
    forcePathStyle: config.pathStyle,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: secret },
    maxAttempts: ATTEMPTS,
    requestChecksumCalculation: amazon ? "WHEN_SUPPORTED" : "WHEN_REQUIRED",
    responseChecksumValidation: amazon ? "WHEN_SUPPORTED" : "WHEN_REQUIRED",
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketTimeout: silenceMs,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  });
}

/** A literal address is never looked up. */
function refuseForbidden(endpoint: string): void {
  const host = new URL(endpoint).hostname.replace(/^\[|\]$/g, "");
  if (isForbiddenAddress(host)) throw forbiddenHost(host, "config.endpoint");
}
