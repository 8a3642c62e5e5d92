import { z } from "zod";
import { archiveDatabase, unarchiveDatabase } from "../../databases/archive-database.ts";
import { createDatabase } from "../../databases/create-database.ts";
import { getDatabase } from "../../databases/get-database.ts";
import { listApplications } from "../../databases/list-applications.ts";
import { listDatabases } from "../../databases/list-databases.ts";
import { requestPreflight } from "../../databases/request-preflight.ts";
import {
  applicationSchema,
  connectionTestSchema,
  createDatabaseInput,
  databaseItemSchema,
  databaseSchema,
  listDatabasesQuery,
  testConnectionInput,
  timelineItemSchema,
  timelineQuery,
  updateDatabaseInput,
} from "../../databases/schema.ts";
import { testConnection } from "../../databases/test-connection.ts";
import { databaseTimeline } from "../../databases/timeline.ts";
import { updateDatabase } from "../../databases/update-database.ts";
import { pageOf } from "../../paging.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Databases";

export const databaseEndpoints = [
  endpoint({
    method: "GET",
    path: "/applications",
    tag,
    summary: "Applications by name, with how many databases each has",
    permission: "read",
    output: pageOf(applicationSchema),
    handle: async (ctx) => ({ items: await listApplications(ctx), nextCursor: null }),
  }),
  endpoint({
    method: "GET",
    path: "/databases",
    tag,
    summary: "Databases by name, each with its promise",
    permission: "read",
    query: listDatabasesQuery,
    output: pageOf(databaseItemSchema),
    handle: (ctx, { query }) => listDatabases(ctx, query),
  }),
  endpoint({
    method: "POST",
    path: "/databases",
    tag,
    summary: "Register a database",
    permission: "database.write",
    body: createDatabaseInput,
    output: databaseSchema,
    status: 201,
    handle: (ctx, { body }) => createDatabase(ctx, body),
  }),
  endpoint({
    method: "GET",
    path: "/databases/{database}",
    tag,
    summary: "One database by name or id",
    permission: "read",
    output: databaseSchema,
    handle: (ctx, { params }) => getDatabase(ctx, params.database ?? ""),
  }),
  endpoint({
    method: "PATCH",
    path: "/databases/{database}",
    tag,
    summary: "Change a registration; what is absent stays",
    permission: "database.write",
    body: updateDatabaseInput,
    output: databaseSchema,
    handle: (ctx, { params, body }) => updateDatabase(ctx, params.database ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/databases/{database}/archive",
    tag,
    summary: "Take a database out of daily work; its history stays",
    permission: "database.write",
    output: databaseSchema,
    handle: (ctx, { params }) => archiveDatabase(ctx, params.database ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/databases/{database}/unarchive",
    tag,
    summary: "Bring an archived database back",
    permission: "database.write",
    output: databaseSchema,
    handle: (ctx, { params }) => unarchiveDatabase(ctx, params.database ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/databases/{database}/preflight",
    tag,
    summary: "List everything missing or risky; answers the operation's id",
    permission: "database.test",
    output: z.object({ id: z.string() }),
    status: 202,
    handle: (ctx, { params }) => requestPreflight(ctx, params.database ?? ""),
  }),
  endpoint({
    method: "GET",
    path: "/databases/{database}/timeline",
    tag,
    summary: "Everything that happened to a database, newest first",
    permission: "read",
    query: timelineQuery,
    output: pageOf(timelineItemSchema),
    handle: (ctx, { params, query }) => databaseTimeline(ctx, params.database ?? "", query),
  }),
  endpoint({
    method: "POST",
    path: "/connection-tests",
    tag,
    summary: "Connect once, with saved or unsaved settings, and wait up to 20 s for the answer",
    permission: "database.test",
    body: testConnectionInput,
    output: connectionTestSchema,
    handle: (ctx, { body, signal }) => testConnection(ctx, body, { signal }),
  }),
];
