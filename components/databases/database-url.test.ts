import { describe, expect, it } from "vitest";
import { parseDatabaseUrl, proposeName } from "./database-url.ts";

describe("a pasted database URL", () => {
  it("fills every field", () => {
    expect(parseDatabaseUrl(" postgres://ann:p%40ss@db.example:5433/shop?sslmode=require ")).toEqual({
      engine: "postgres",
      host: "db.example",
      port: 5433,
      database: "shop",
      user: "ann",
      password: "p@ss",
      tls: "require",
    });
  });

  it("takes sockets, addresses of version 6 and defaults", () => {
    expect(parseDatabaseUrl("postgresql://ann@/shop?host=/run/pg")).toMatchObject({
      host: "/run/pg",
      port: 5432,
    });
    expect(parseDatabaseUrl("postgres://ann@[::1]/shop")).toMatchObject({ host: "::1", tls: null });
  });

  it("knows MariaDB and MySQL", () => {
    expect(parseDatabaseUrl("mysql://ann:p%40ss@db.example/shop?ssl-mode=VERIFY_IDENTITY")).toEqual({
      engine: "mysql",
      host: "db.example",
      port: 3306,
      database: "shop",
      user: "ann",
      password: "p@ss",
      tls: "verify-full",
    });
    expect(parseDatabaseUrl("mariadb://ann@/shop?socket=/run/mysqld/mysqld.sock")).toMatchObject({
      engine: "mariadb",
      host: "/run/mysqld/mysqld.sock",
    });
  });

  it("leaves other text alone", () => {
    expect(parseDatabaseUrl("redis://a@b/c")).toBeNull();
    expect(parseDatabaseUrl("postgres://%zz@b/c")).toBeNull();
    expect(parseDatabaseUrl("shop")).toBeNull();
  });

  it("proposes a name with its environment", () => {
    expect(proposeName("Shop DB", "staging")).toBe("shop-db-staging");
    expect(proposeName("shop-staging", "staging")).toBe("shop-staging");
    expect(proposeName("", "staging")).toBe("");
  });
});
