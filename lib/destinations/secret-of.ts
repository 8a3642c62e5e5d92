interface Given {
  kind?: string;
  secretKey?: string | undefined;
  password?: string | undefined;
  privateKey?: string | undefined;
  passphrase?: string | undefined;
}

/** The secret of a destination as its adapter wants it (StorageSpec), or undefined when none was given. */
export function secretOf(kind: string, given: Given): string | undefined {
  if (kind === "s3") return given.secretKey;
  if (kind !== "sftp") return undefined;
  const { password, privateKey, passphrase } = given;
  if (password === undefined && privateKey === undefined) return undefined;
  return JSON.stringify({ password, privateKey, passphrase });
}
