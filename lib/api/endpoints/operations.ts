import { stillAllowed } from "../../auth/still-allowed.ts";
import { processHub } from "../../events/process-hub.ts";
import { cancelOperation } from "../../operations/cancel-operation.ts";
import { getOperation } from "../../operations/get-operation.ts";
import { listOperations } from "../../operations/list-operations.ts";
import { readLog } from "../../operations/read-log.ts";
import {
  listOperationsQuery,
  logLineSchema,
  operationItemSchema,
  operationSchema,
  readLogQuery,
} from "../../operations/schema.ts";
import { streamLog } from "../../operations/stream-log.ts";
import { pageOf } from "../../paging.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Operations";

export const operationEndpoints = [
  endpoint({
    method: "GET",
    path: "/operations",
    tag,
    summary: "Operations, newest first",
    permission: "read",
    query: listOperationsQuery,
    output: pageOf(operationItemSchema),
    handle: (ctx, { query }) => listOperations(ctx, query),
  }),
  endpoint({
    method: "GET",
    path: "/operations/{operation}",
    tag,
    summary: "One operation with its steps, its changes of state and related operations",
    permission: "read",
    output: operationSchema,
    handle: (ctx, { params }) => getOperation(ctx, params.operation ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/operations/{operation}/cancel",
    tag,
    summary: "Ask for an operation's end",
    permission: "operation.cancel",
    output: operationSchema,
    status: 202,
    handle: (ctx, { params }) => cancelOperation(ctx, params.operation ?? ""),
  }),
  endpoint({
    method: "GET",
    path: "/operations/{operation}/log",
    tag,
    summary: "Lines of an operation's log",
    permission: "read",
    query: readLogQuery,
    output: pageOf(logLineSchema),
    handle: (ctx, { params, query }) => readLog(ctx, params.operation ?? "", query),
  }),
  endpoint({
    method: "GET",
    path: "/operations/{operation}/log/stream",
    tag,
    summary: "Server-sent events: an operation's log as it grows; resumes with Last-Event-ID",
    permission: "read",
    streams: ["text/event-stream"],
    handle: (ctx, { params, signal, headers }) =>
      streamLog(ctx, params.operation ?? "", processHub(ctx.db, ctx.log).operationNews, {
        signal,
        lastEventId: headers.get("last-event-id"),
        stillAllowed: () => stillAllowed(ctx),
      }),
  }),
];
