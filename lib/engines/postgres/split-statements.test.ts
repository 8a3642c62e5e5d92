import { describe, expect, it } from "vitest";
import { splitStatements } from "./split-statements.ts";

describe("splitStatements", () => {
  it("keeps semicolons in quotes, dollars and names", () => {
    const sql = `CREATE ROLE "a;b";\nALTER ROLE "a;b" SET x TO ';''';\nCOMMENT ON ROLE c IS E'it\\';s';\nSELECT $x$;$$;$x$;`;
    expect(splitStatements(sql)).toEqual([
      `CREATE ROLE "a;b"`,
      `ALTER ROLE "a;b" SET x TO ';'''`,
      `COMMENT ON ROLE c IS E'it\\';s'`,
      "SELECT $x$;$$;$x$",
    ]);
  });

  it("drops comments and commands of psql", () => {
    const sql = `--\n-- Roles; of the server\n--\n\\restrict abc\n\nSET x = 1;\n/* ; */\\! touch owned\n\\! touch owned\nCREATE ROLE r;\n\\unrestrict abc`;
    expect(splitStatements(sql)).toEqual(["SET x = 1", "\\! touch owned\n\\! touch owned\nCREATE ROLE r"]);
    expect(splitStatements("\\! touch owned\nCREATE ROLE r;\n")).toEqual(["CREATE ROLE r"]);
  });
});
