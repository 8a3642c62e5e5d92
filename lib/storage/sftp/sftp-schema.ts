import { z } from "zod";

/** A host's key as ssh-keygen -l shows it. */
const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}$/;

export const sftpConfigSchema = z.object({
  host: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$/, "Give a host name or an address."),
  port: z.number().int().min(1).max(65_535).default(22),
  user: z.string().min(1, "Give the user.").max(128),
  folder: z
    .string()
    .regex(/^\/([^\0]*[^/\0])?$/, "Give an absolute folder on the server, such as /backups/holdfast.")
    .max(1024),
  /** Fingerprint of the server's key: another key is another server, and nothing is sent to it. */
  hostKey: z
    .string()
    .regex(HOST_KEY, "Read the server's key and compare it; it looks like SHA256: and 43 characters."),
});
export type SftpConfig = z.infer<typeof sftpConfigSchema>;

/** What signs in: a password, or a private key in OpenSSH or PEM format with its passphrase. */
export const sftpSignIn = {
  password: z.string().min(1).max(1024).optional(),
  privateKey: z.string().min(1).max(20_000).optional(),
  passphrase: z.string().max(1024).optional(),
};

/** One of both; sealed as JSON. */
export const sftpSecretSchema = z
  .object(sftpSignIn)
  .refine(({ password, privateKey }) => (password === undefined) !== (privateKey === undefined), {
    message: "Give a password or a private key, and not both.",
    path: ["password"],
  });
export type SftpSecret = z.infer<typeof sftpSecretSchema>;
