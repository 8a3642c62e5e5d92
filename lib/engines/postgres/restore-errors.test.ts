import { describe, expect, it } from "vitest";
import { HoldfastError } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";
import { isUnknownSetting, restoreError } from "./restore-errors.ts";

function explained(stderr: string): HoldfastError {
  const error = restoreError(new CommandError("pg_restore", 1, null, stderr));
  if (error instanceof HoldfastError) return error;
  throw new Error("not explained");
}

describe("restoreError", () => {
  it.each([
    ['could not execute query: ERROR:  extension "postgis" is not available', "unavailable"],
    ['could not execute query: ERROR:  role "app" does not exist', "unavailable"],
    ['could not execute query: ERROR:  permission denied to create extension "file_fdw"', "unavailable"],
    ['could not execute query: ERROR:  collation "de_DE" for encoding "UTF8" does not exist', "unavailable"],
    ["could not write to file: No space left on device", "unavailable"],
    ["could not execute query: server closed the connection unexpectedly", "unavailable"],
    ["unsupported version (1.16) in file header", "invalid"],
    ["could not read from input file: end of file", "invalid"],
    ["could not find block ID 4711 in archive -- possibly due to corrupt archive", "invalid"],
    ['COPY failed for table "t": ERROR:  value out of range: underflow', "refused"],
    ['could not execute query: ERROR:  could not create unique index "i"', "refused"],
  ])("%s is %s", (line, code) => {
    expect(explained(`pg_restore: error: ${line}\nCommand was: X`)).toMatchObject({ code });
  });

  it("goes by the error, and not by names that come before it", () => {
    const stderr = [
      'pg_restore: creating TABLE "public.corrupt No space left on device"',
      "pg_restore: from TOC entry 5; 1259 16386 INDEX i owner",
      "pg_restore: error: could not execute query: ERROR:  division by zero",
      "Command was: CREATE INDEX i",
    ].join("\n");
    expect(explained(stderr)).toMatchObject({
      code: "refused",
      message: expect.stringMatching(/^The restore stopped at INDEX i owner: .*division by zero/),
    });
  });

  it("passes other errors on", () => {
    const other = new Error("x");
    expect(restoreError(other)).toBe(other);
  });
});

it("knows the one setting that later versions of pg_restore send to older servers", () => {
  const line =
    'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"';
  expect(isUnknownSetting(line)).toBe(true);
  expect(isUnknownSetting(line.replace("transaction_timeout", "other"))).toBe(false);
});
