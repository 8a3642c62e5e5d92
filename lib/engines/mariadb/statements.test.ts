import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { DumpFollower } from "./dump-stream.ts";
import { findDefiner, StatementRewriter } from "./statements.ts";

async function through(text: string | Buffer, definers: "keep" | "drop", bytesAtATime = 7): Promise<string> {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytesAtATime) chunks.push(bytes.subarray(at, at + bytesAtATime));
  const got: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      got.push(chunk);
      callback();
    },
  });
  await pipeline(Readable.from(chunks), new StatementRewriter({ database: "new`db", definers }), sink);
  return Buffer.concat(got).toString("latin1");
}

const latin = (text: string) => Buffer.from(text).toString("latin1");

describe("a dump on its way to the server", () => {
  it.each([
    [
      "a view",
      "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a``b`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 AS `1` */;\n",
      "DEFINER=`a``b`@`%`",
    ],
    [
      "a trigger",
      "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`u`@`localhost`*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW\nBEGIN\n  SET NEW.a = 'CREATE DEFINER=`z`@`z` VIEW;';\nEND */;;\nDELIMITER ;\n",
      "DEFINER=`u`@`localhost`",
    ],
    [
      "a function under ANSI_QUOTES",
      `DELIMITER ;;\nCREATE DEFINER="u"@"%" FUNCTION "f"() RETURNS int RETURN 1;;\nDELIMITER ;\n`,
      `DEFINER="u"@"%"`,
    ],
    [
      "an event",
      "DELIMITER ;;\n/*!50106 CREATE*/ /*!50117 DEFINER=`u`@`h`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 HOUR DO DO 1 */ ;;\nDELIMITER ;\n",
      "DEFINER=`u`@`h`",
    ],
  ])("loses the definer of %s, or keeps it", async (_what, dump, definer) => {
    expect(await through(dump, "keep")).toBe(dump);
    expect(await through(dump, "drop")).toBe(dump.replace(definer, ""));
  });

  it.each([1, 7, 64, 100_000])("keeps rows byte for byte, read %d bytes at a time", async (size) => {
    const dump = Buffer.concat([
      Buffer.from("CREATE TABLE `t` (\n  `a` text DEFAULT ';' COMMENT 'DEFINER=`x`@`y`'\n) ENGINE=InnoDB;\n"),
      Buffer.from("INSERT INTO `t` VALUES\n('CREATE DEFINER=`a`@`b` VIEW v;\\n'),\n('"),
      Buffer.from([0xff, 0xfe, 0xe9]),
      Buffer.from(
        "'),\n('x;');\nINSERT INTO `t` VALUES ('y');\r\n/*!40000 ALTER TABLE `t` ENABLE KEYS */;\n",
      ),
    ]);
    expect(await through(dump, "drop", size)).toBe(dump.toString("latin1"));
  });

  it("follows the mode in which a backslash is a character like others", async () => {
    const dump =
      "/*!50003 SET sql_mode              = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' */ ;\nDELIMITER ;;\n" +
      'CREATE DEFINER="u"@"h" FUNCTION a() RETURNS text RETURN \'\\\';;\nDELIMITER ;\n' +
      "/*!50003 SET sql_mode              = @saved_sql_mode */ ;\nDELIMITER ;;\n" +
      "CREATE DEFINER=`u`@`h` FUNCTION b() RETURNS text RETURN '\\';;';;\nDELIMITER ;\n";
    expect(await through(dump, "drop")).toBe(
      dump.replace('DEFINER="u"@"h"', "").replace("DEFINER=`u`@`h`", ""),
    );
  });

  it("names the database that is restored into, and no other one", async () => {
    expect(
      await through("ALTER DATABASE `é` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\n", "keep"),
    ).toBe("ALTER DATABASE `new``db` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\n");
    expect(await through("CREATE TABLE `é` (a int);\n", "keep")).toBe(latin("CREATE TABLE `é` (a int);\n"));
  });

  it.each([
    "USE mysql;",
    "system touch /tmp/x;",
    "\\! touch /tmp/x;",
    "source /etc/passwd;",
    "GRANT ALL ON *.* TO x;",
    "SET GLOBAL event_scheduler = 1;",
    "SET @@GLOBAL.general_log = 1;",
    "/*!50001 SET */ GLOBAL x = 1;",
    "SET @a = 1, GLOBAL general_log = 1;",
    "SET @a = 1, @@global.general_log = 1;",
    "SET STATEMENT max_statement_time = 1 FOR GRANT ALL ON *.* TO x;",
    "CREATE OR REPLACE DATABASE other;",
    "CREATE DATABASE other;",
    "DROP DATABASE shop;",
    "CREATE USER x;",
    "CREATE FUNCTION f RETURNS STRING SONAME 'udf.so';",
    "INSTALL SONAME 'x';",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE t;",
    "SELECT 1 INTO OUTFILE '/tmp/x';",
    "CALL p();",
    "PREPARE s FROM 'x';",
    "KILL 1;",
    "SHUTDOWN;",
  ])("stops at %s", async (statement) => {
    await expect(through(`${statement}\n`, "keep")).rejects.toThrow(/no dump of one database has/);
  });

  it("finds no definer where there is none", () => {
    expect(findDefiner("CREATE TABLE `definer` (`a` int COMMENT 'DEFINER=`a`@`b`')")).toBe(null);
    expect(findDefiner("CREATE VIEW definer AS SELECT 1")).toBe(null);
    expect(findDefiner("INSERT INTO x VALUES ('CREATE DEFINER=a')")).toBe(null);
  });
});

describe("what tells a whole dump", () => {
  const WHOLE = "-- MariaDB dump 10.19\n\n-- Dump completed on 2026-01-01  1:02:03\n";
  const faultOf = (text: string) => {
    const follower = new DumpFollower();
    for (const letter of Buffer.from(text)) follower.add(Buffer.from([letter]));
    return follower.fault();
  };
  it("its first words and its last line", () => {
    expect(faultOf(WHOLE)).toBe(null);
    expect(faultOf(`/*M!999999\\- enable the sandbox mode */ \n${WHOLE}`)).toBe(null);
    expect(faultOf(WHOLE.slice(0, -1))).toMatch(/closing line/);
    expect(faultOf("")).toMatch(/empty/);
    expect(faultOf(`x${WHOLE}`)).toMatch(/does not begin/);
  });
});
