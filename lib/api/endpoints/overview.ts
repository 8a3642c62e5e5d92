import { getOverview } from "../../overview/get-overview.ts";
import { overviewQuery, overviewSchema } from "../../overview/schema.ts";
import { endpoint } from "../endpoint.ts";

export const overviewEndpoints = [
  endpoint({
    method: "GET",
    path: "/overview",
    tag: "Overview",
    summary: "The finding, what needs attention, every promise, what runs",
    permission: "read",
    query: overviewQuery,
    output: overviewSchema,
    handle: (ctx, { query }) => getOverview(ctx, query),
  }),
];
