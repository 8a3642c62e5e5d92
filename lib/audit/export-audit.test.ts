import { expect, test } from "vitest";
import { csvCell } from "./export-audit.ts";

test.each([
  ["=1+1", `"'=1+1"`],
  ["+1", `"'+1"`],
  ["-1", `"'-1"`],
  ["@SUM(A1)", `"'@SUM(A1)"`],
  ["\t=1", `"'\t=1"`],
  ['say "hi", twice', `"say ""hi"", twice"`],
  ["two\nlines", `"two\nlines"`],
  ["plain", "plain"],
  [null, ""],
])("csvCell(%j) is safe in a spreadsheet", (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});
