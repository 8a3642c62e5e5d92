import { expect, test } from "vitest";
import { threeTwoOne } from "./three-two-one.ts";

test.each([
  [2, 2, true, []],
  [3, 2, true, []],
  [2, 1, true, ["a second kind of place"]],
  [2, 2, false, ["a copy off this host"]],
  [1, 1, false, ["a second copy", "a second kind of place", "a copy off this host"]],
  [0, 0, false, ["two copies", "a second kind of place", "a copy off this host"]],
])("%i copies at %i kinds of place, one off this host %s: lacks %j", (stored, kinds, offHost, lacks) => {
  expect(threeTwoOne({ stored, kinds, offHost }).lacks).toEqual(lacks);
});
