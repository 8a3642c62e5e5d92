import { describe, expect, it } from "vitest";
import { HoldfastError } from "../../errors.ts";
import { parseConnection, parseUrl } from "./connection.ts";

const fieldsOf = (run: () => unknown): Record<string, string> => {
  try {
    run();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === "invalid") return error.fields ?? {};
  }
  throw new Error("expected an invalid input");
};

describe("parseUrl", () => {
  it.each([
    ["postgres://u:p@h/d", { host: "h", port: 5432, database: "d", user: "u", tls: "prefer" }, "p"],
    [
      "postgresql://u%40x:p%2F%3A%25@db.example:6000/a%20b?sslmode=verify-full",
      { host: "db.example", port: 6000, database: "a b", user: "u@x", tls: "verify-full" },
      "p/:%",
    ],
    [
      "postgresql://u:p@[::1]:5433/d",
      { host: "::1", port: 5433, database: "d", user: "u", tls: "prefer" },
      "p",
    ],
    [
      "postgresql:///d?host=/run/postgresql&user=me",
      { host: "/run/postgresql", port: 5432, database: "d", user: "me", tls: "prefer" },
      undefined,
    ],
    [
      "postgresql://me@%2Frun%2Fpostgresql/d",
      { host: "/run/postgresql", port: 5432, database: "d", user: "me", tls: "prefer" },
      undefined,
    ],
    [
      "postgresql://me@",
      { host: "localhost", port: 5432, database: "me", user: "me", tls: "prefer" },
      undefined,
    ],
    [
      "postgresql://u:a@b:c@h/d?ssl=true&connection_limit=5",
      { host: "h", port: 5432, database: "d", user: "u", tls: "require" },
      "a@b:c",
    ],
  ])("reads %s", (url, connection, password) => {
    expect(parseUrl(url)).toEqual(password === undefined ? { connection } : { connection, password });
  });

  it.each([
    ["mysql://u@h/d", "postgresql://"],
    ["postgres://h/d", "user"],
    ["postgres://u@h:x/d", "port"],
    ["postgres://u@h:99999/d", ""],
    ["postgres://u:%zz@h/d", "%25"],
    ["postgres://u@a,b/d", "several"],
    ["postgres://u@h/d?sslmode=maybe", "sslmode"],
    ["postgres://u@h/d?sslrootcert=/etc/ca.pem", "certificate"],
  ])("explains what is wrong with %s", (url, part) => {
    expect(fieldsOf(() => parseUrl(url)).url).toContain(part);
  });

  it("does not repeat a password in its message", () => {
    expect(() => parseUrl("postgres://u:hunter2@h:bad/d")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });
});

describe("parseConnection", () => {
  it("names each wrong field", () => {
    expect(Object.keys(fieldsOf(() => parseConnection({ host: "", port: 0, database: "d" })))).toEqual([
      "connection.host",
      "connection.port",
      "connection.user",
    ]);
    const ca = { host: "h", database: "d", user: "u", ca: "nonsense" };
    expect(fieldsOf(() => parseConnection(ca))).toHaveProperty(["connection.ca"]);
    const several = { host: "db.internal,169.254.169.254", database: "d", user: "u" };
    expect(fieldsOf(() => parseConnection(several))["connection.host"]).toContain("several");
  });
});
