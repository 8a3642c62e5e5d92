import { describe, expect, it } from "vitest";
import { takeBlocks, toLiveEvent } from "./event-stream.ts";

describe("event stream", () => {
  it("keeps an unfinished block for the next piece", () => {
    const first = takeBlocks('id: 7\ndata: {"topic":"backups","objectId":"b1"}\n\nid: 8\nda');
    expect(first.blocks).toHaveLength(1);
    const second = takeBlocks(`${first.rest}ta: {"topic":"audit","objectId":null}\n\n`);
    expect(second.blocks.map(toLiveEvent)).toEqual([{ id: "8", topic: "audit", objectId: null }]);
    expect(second.rest).toBe("");
  });

  it("reads id, topic and object", () => {
    const [block] = takeBlocks(
      'event: change\r\nid: 7\r\ndata: {"topic":"backups","objectId":"b1"}\r\n\r\n',
    ).blocks;
    expect(block && toLiveEvent(block)).toEqual({ id: "7", topic: "backups", objectId: "b1" });
  });

  it("takes heartbeats and unknown data for nothing", () => {
    const { blocks } = takeBlocks(": heartbeat\n\ndata: not json\n\ndata: {}\n\n");
    expect(blocks.map(toLiveEvent)).toEqual([null, null, null]);
  });
});
