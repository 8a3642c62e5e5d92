import { z } from "zod";
import { createEnvironment } from "../../environments/create-environment.ts";
import { deleteEnvironment } from "../../environments/delete-environment.ts";
import { listEnvironments } from "../../environments/list-environments.ts";
import { orderEnvironments } from "../../environments/order-environments.ts";
import {
  environmentInput,
  environmentSchema,
  orderEnvironmentsInput,
  updateEnvironmentInput,
} from "../../environments/schema.ts";
import { updateEnvironment } from "../../environments/update-environment.ts";
import { pageOf } from "../../paging.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Environments";
const whole = <T>(items: T[]) => ({ items, nextCursor: null });

export const environmentEndpoints = [
  endpoint({
    method: "GET",
    path: "/environments",
    tag,
    summary: "Environments, first rung first",
    permission: "read",
    output: pageOf(environmentSchema),
    handle: async (ctx) => whole(await listEnvironments(ctx)),
  }),
  endpoint({
    method: "POST",
    path: "/environments",
    tag,
    summary: "Add an environment as the last rung",
    permission: "environment.write",
    body: environmentInput,
    output: environmentSchema,
    status: 201,
    handle: (ctx, { body }) => createEnvironment(ctx, body),
  }),
  endpoint({
    method: "PATCH",
    path: "/environments/{environment}",
    tag,
    summary: "Rename or protect an environment",
    permission: "environment.write",
    body: updateEnvironmentInput,
    output: environmentSchema,
    handle: (ctx, { params, body }) => updateEnvironment(ctx, params.environment ?? "", body),
  }),
  endpoint({
    method: "DELETE",
    path: "/environments/{environment}",
    tag,
    summary: "Delete an environment that no database belongs to",
    permission: "environment.write",
    status: 204,
    handle: (ctx, { params }) => deleteEnvironment(ctx, params.environment ?? ""),
  }),
  endpoint({
    method: "PUT",
    path: "/environments-order",
    tag,
    summary: "Put all environments in an order",
    permission: "environment.write",
    body: orderEnvironmentsInput,
    output: z.object({ items: z.array(environmentSchema), nextCursor: z.null() }),
    handle: async (ctx, { body }) => whole(await orderEnvironments(ctx, body)),
  }),
];
