import { find } from "../../search/find.ts";
import { searchQuery, searchSchema } from "../../search/schema.ts";
import { endpoint } from "../endpoint.ts";

export const searchEndpoints = [
  endpoint({
    method: "GET",
    path: "/search",
    tag: "Search",
    summary: "Databases, backups, operations, members and pages by text",
    permission: "read",
    query: searchQuery,
    output: searchSchema,
    handle: (ctx, { query }) => find(ctx, query),
  }),
];
