import { S3ServiceException } from "@aws-sdk/client-s3";
import { HoldfastError, isHoldfastError, messageOf } from "../../errors.ts";
import { forbiddenHost } from "../../network/forbidden-address.ts";
import type { S3Config } from "./s3-schema.ts";

const ENDPOINT = "config.endpoint";

interface Sentence {
  message: string;
  remedy: string;
  /** The setting that it is about. */
  field?: string;
}

/** By error name of the S3 protocol; the same from all stores. */
const SENTENCES: Record<string, (config: S3Config) => Sentence> = {
  NoSuchBucket: ({ bucket }) => ({
    message: `There is no bucket ${bucket}.`,
    remedy: "Make it, or let Holdfast make it when the destination is added (--create-bucket).",
    field: "config.bucket",
  }),
  AccessDenied: ({ accessKey, bucket }) => ({
    message: `The access key ${accessKey} may not do this in the bucket ${bucket}.`,
    remedy: "Give it s3:PutObject, s3:GetObject, s3:ListBucket, s3:DeleteObject and s3:AbortMultipartUpload.",
    field: "config.accessKey",
  }),
  InvalidAccessKeyId: ({ accessKey }) => ({
    message: `The store does not know the access key ${accessKey}.`,
    remedy: "Check the access key, and that it belongs to this endpoint.",
    field: "config.accessKey",
  }),
  SignatureDoesNotMatch: () => ({
    message: "The secret key does not fit the access key.",
    remedy: "Enter the secret key again. If it is right, check the region and the endpoint.",
    field: "secretKey",
  }),
  RequestTimeTooSkewed: () => ({
    message: "The clock of this machine and the store's differ by more than 15 minutes.",
    remedy: "Set this machine's clock by NTP: timedatectl set-ntp true",
  }),
  SlowDown: () => ({
    message: "The store asks to be used less (503 slow down), also after several tries.",
    remedy: "Try again later, or spread the schedules of the policies.",
  }),
  NoSuchUpload: () => ({
    message: "The store has dropped the unfinished upload.",
    remedy: "Check the bucket's lifecycle rules: unfinished uploads should live for at least two days.",
  }),
  EntityTooLarge: () => ({
    message: "The store refuses an object of this size.",
    remedy: "Choose another destination for this database.",
  }),
  QuotaExceeded: ({ bucket }) => ({
    message: `The quota of the bucket ${bucket} is used up.`,
    remedy: "Free space there, raise the quota, or choose another destination.",
  }),
  PermanentRedirect: ({ bucket }) => ({
    message: `The bucket ${bucket} is in another region.`,
    remedy: "Enter the bucket's own region.",
    field: "config.region",
  }),
  AuthorizationHeaderMalformed: ({ region }) => ({
    message: `The store does not take the region ${region}.`,
    remedy: "Enter the bucket's own region.",
    field: "config.region",
  }),
  InvalidStorageClass: ({ storageClass }) => ({
    message: `The store has no storage class ${storageClass ?? ""}.`,
    remedy: "Leave the storage class empty, or enter one of the store's.",
    field: "config.storageClass",
  }),
  InvalidObjectState: () => ({
    message: "The object is frozen in an archive class and can't be read at once.",
    remedy: "Thaw it at the store first, then try again.",
  }),
};
const ALSO: Record<string, string> = {
  Forbidden: "AccessDenied",
  "403": "AccessDenied",
  AllAccessDisabled: "AccessDenied",
  InvalidSecurity: "InvalidAccessKeyId",
  ServiceUnavailable: "SlowDown",
  TooManyRequestsException: "SlowDown",
  ThrottlingException: "SlowDown",
  InvalidRange: "InvalidRange",
};

/** The protocol's name of an error, or null for what did not come from the store. */
export function s3Code(error: unknown): string | null {
  if (!(error instanceof S3ServiceException)) return null;
  // An answer without a body (HEAD) has a status and no name of its own.
  if (error.name === "UnknownError" || error.name === "Unknown")
    return String(error.$metadata.httpStatusCode);
  return error.name;
}

export function isMissing(error: unknown): boolean {
  const code = s3Code(error);
  return code === "NoSuchKey" || code === "NotFound" || code === "404";
}

/** The write was refused because something has that name already. */
export function isTaken(error: unknown): boolean {
  const code = s3Code(error);
  return code === "PreconditionFailed" || code === "412" || code === "ConditionalRequestConflict";
}

export function isDenied(error: unknown): boolean {
  const code = s3Code(error);
  return code !== null && (ALSO[code] ?? code) === "AccessDenied";
}

/** The store does not have this part of the protocol. */
export function isUnsupported(error: unknown): boolean {
  const code = s3Code(error);
  return code !== null && ["NotImplemented", "501", "MethodNotAllowed", "405"].includes(code);
}

/** Any error of a request as a sentence with a remedy (`unavailable`, or `forbidden` for what the key may not do). */
export function s3Fault(error: unknown, config: S3Config): HoldfastError {
  if (isHoldfastError(error)) {
    return error.fields?.["connection.host"] === undefined
      ? error
      : forbiddenHost(config.endpoint ?? "", ENDPOINT);
  }
  const code = s3Code(error);
  const sentence = code === null ? null : SENTENCES[ALSO[code] ?? code]?.(config);
  if (sentence) {
    const { message, remedy, field } = sentence;
    const fields = field === undefined ? {} : { fields: { [field]: message } };
    const kind = isDenied(error) ? "forbidden" : "unavailable";
    return new HoldfastError(kind, message, { remedy, ...fields, cause: error });
  }
  const where = config.endpoint ?? `Amazon S3 in ${config.region}`;
  if (code !== null) {
    return new HoldfastError("unavailable", `${where} answers: ${code}${detailOf(error)}.`, {
      remedy: "Look at the store's own log; try again when it is well.",
      cause: error,
    });
  }
  const message = `${where} can't be reached: ${networkReason(error)}.`;
  return new HoldfastError("unavailable", message, {
    remedy: "Check the endpoint, the network and the store, then try again.",
    ...(config.endpoint === undefined ? {} : { fields: { [ENDPOINT]: message } }),
    cause: error,
  });
}

function detailOf(error: unknown): string {
  const text = messageOf(error);
  return text === "" || text === "UnknownError" ? "" : `, ${text.slice(0, 300)}`;
}

/** Several addresses were tried: each has an error of its own. */
function networkReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return networkReason(error.errors[0]);
  const text = messageOf(error);
  return text.replace(/\.$/, "").slice(0, 300) || "the connection was lost";
}
