import { expect, test } from "vitest";
import type { Endpoint, Method } from "./endpoint.ts";
import { matchRoute, pathSegments } from "./match-route.ts";

const at = (method: Method, path: string): Endpoint => ({
  method,
  path,
  tag: "t",
  summary: "s",
  permission: null,
  handle: async () => null,
});

test("a literal segment is preferred to a parameter", () => {
  const list = [at("GET", "/things/{thing}"), at("GET", "/things/all"), at("DELETE", "/things/{thing}")];
  const found = matchRoute(list, ["things", "all"]);
  expect(found.map(({ endpoint }) => `${endpoint.method} ${endpoint.path}`)).toEqual([
    "GET /things/all",
    "GET /things/{thing}",
    "DELETE /things/{thing}",
  ]);
  expect(found[1]?.params).toEqual({ thing: "all" });
});

test.each([
  ["me", ["me"]],
  ["members/a%20b/x", ["members", "a b", "x"]],
  ["members/%E2%82%AC", ["members", "€"]],
])("%s is a path", (path, segments) => expect(pathSegments(path)).toEqual(segments));

test.each(["", "me/", "a//b", "a%2Fb", "a%5Cb", "%", "%zz", "%C3%28", "..", "%2e%2e", "a%00b", "a%0Ab"])(
  "%s is not a path of ours",
  (path) => expect(pathSegments(path)).toBeNull(),
);
