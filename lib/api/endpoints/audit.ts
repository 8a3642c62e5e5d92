import { z } from "zod";
import { exportAudit } from "../../audit/export-audit.ts";
import { listAudit } from "../../audit/list-audit.ts";
import { listAuditActions } from "../../audit/list-audit-actions.ts";
import {
  auditItemSchema,
  auditVerificationSchema,
  exportAuditQuery,
  listAuditQuery,
} from "../../audit/schema.ts";
import { verifyAudit } from "../../audit/verify-audit.ts";
import { pageOf } from "../../paging.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Audit";

export const auditEndpoints = [
  endpoint({
    method: "GET",
    path: "/audit",
    tag,
    summary: "Audit events, newest first",
    permission: "read",
    query: listAuditQuery,
    output: pageOf(auditItemSchema),
    handle: (ctx, { query }) => listAudit(ctx, query),
  }),
  endpoint({
    method: "GET",
    path: "/audit/actions",
    tag,
    summary: "Every action that the log holds, by name",
    permission: "read",
    output: pageOf(z.string()),
    handle: async (ctx) => ({ items: await listAuditActions(ctx), nextCursor: null }),
  }),
  endpoint({
    method: "GET",
    path: "/audit/export",
    tag,
    summary: "All matching events as a stream, oldest first",
    permission: "audit.export",
    query: exportAuditQuery,
    streams: ["application/x-ndjson", "text/csv"],
    handle: async (ctx, { query }) => {
      const { chunks, contentType, fileName } = await exportAudit(ctx, query);
      return new Response(streamOf(chunks), {
        headers: { "content-type": contentType, "content-disposition": `attachment; filename="${fileName}"` },
      });
    },
  }),
  endpoint({
    method: "POST",
    path: "/audit/verify",
    tag,
    summary: "Check the chain of all events; one check at a time, then a rest (429 with Retry-After)",
    permission: "read",
    output: auditVerificationSchema,
    handle: (ctx, { signal }) => verifyAudit(ctx, { signal }),
  }),
];

/** One chunk is made when the client has taken the last one. */
function streamOf(chunks: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
