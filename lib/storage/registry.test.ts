import { describe, expect, test } from "vitest";
import { secretTexts, storageFor } from "./registry.ts";

const s3 = { region: "eu-central-1", bucket: "nightly", accessKey: "AKIA" };
const hostKey = `SHA256:${"A".repeat(43)}`;
const sftp = { host: "vault", port: 22, user: "u", folder: "/backups", hostKey };
const spec = (kind: string, config: Record<string, unknown>, secret?: string) =>
  storageFor({ name: "d", kind, config, secret, installId: "i" });

describe("storageFor", () => {
  test("knows every kind", () => {
    expect(spec("local", { folder: "/backups" }).kind).toBe("local");
    expect(spec("s3", s3, "secret").kind).toBe("s3");
    expect(spec("sftp", sftp, '{"password":"p"}').kind).toBe("sftp");
  });

  test.each([
    ["another kind", "tape", {}, undefined, /kind that is not known/],
    ["a folder that is none", "local", {}, undefined, /kind that is not known/],
    ["a bucket without its secret", "s3", s3, undefined, /no secret/],
    ["a bucket without a name", "s3", { ...s3, bucket: "" }, "secret", /can't be read/],
    ["Amazon without a region", "s3", { ...s3, region: "auto" }, "secret", /can't be read/],
    ["a server without a pinned key", "sftp", { ...sftp, hostKey: "" }, '{"password":"p"}', /can't be read/],
    ["a server with nothing to sign in", "sftp", sftp, "{}", /can't be read/],
    ["a metadata service", "s3", { ...s3, endpoint: "http://[fd00:ec2::254]" }, "secret", /cloud-metadata/],
    ["the same in other digits", "s3", { ...s3, endpoint: "http://0xA9FEA9FE" }, "secret", /cloud-metadata/],
  ])("refuses %s", (_, kind, config, secret, said) => {
    expect(() => spec(kind, config, secret)).toThrow(said);
  });
});

test("every line of a private key is a secret, its frame is not", () => {
  const line = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
  const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${line}\nQyNTUxOQAAACDe\n-----END OPENSSH PRIVATE KEY-----\n`;
  const texts = secretTexts({
    kind: "sftp",
    secret: JSON.stringify({ privateKey, passphrase: "open sesame" }),
  });
  expect(texts).toEqual(expect.arrayContaining([line, "open sesame"]));
  expect(texts.some((text) => text.startsWith("-----"))).toBe(false);
  expect(secretTexts({ kind: "s3", secret: "key" })).toEqual(["key"]);
  expect(secretTexts({ kind: "local" })).toEqual([]);
});
