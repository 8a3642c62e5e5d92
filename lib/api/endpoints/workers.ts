import { pageOf } from "../../paging.ts";
import { listWorkers } from "../../workers/list-workers.ts";
import { workerSchema } from "../../workers/schema.ts";
import { endpoint } from "../endpoint.ts";

export const workerEndpoints = [
  endpoint({
    method: "GET",
    path: "/workers",
    tag: "Workers",
    summary: "Workers: what they can do, and whether they are up",
    permission: "read",
    output: pageOf(workerSchema),
    handle: (ctx) => listWorkers(ctx),
  }),
];
