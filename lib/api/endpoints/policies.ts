import { pageOf } from "../../paging.ts";
import { createPolicy } from "../../policies/create-policy.ts";
import { getPolicy } from "../../policies/get-policy.ts";
import { getPolicyRun, listPolicyRuns } from "../../policies/get-policy-run.ts";
import { listPolicies, listUncovered } from "../../policies/list-policies.ts";
import { archivePolicy, pausePolicy, resumePolicy } from "../../policies/pause-policy.ts";
import { runPolicy } from "../../policies/run-policy.ts";
import {
  createPolicyInput,
  listPoliciesQuery,
  listPolicyRunsQuery,
  policyRunItemSchema,
  policyRunSchema,
  policySchema,
  simulatePolicyInput,
  simulationSchema,
  uncoveredSchema,
  updatePolicyInput,
} from "../../policies/schema.ts";
import { simulateDraft, simulatePolicy } from "../../policies/simulate-policy.ts";
import { updatePolicy } from "../../policies/update-policy.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Policies";

export const policyEndpoints = [
  endpoint({
    method: "GET",
    path: "/policies",
    tag,
    summary: "Backup plans, with their next runs and how they last ran",
    permission: "read",
    query: listPoliciesQuery,
    output: pageOf(policySchema),
    handle: (ctx, { query }) => listPolicies(ctx, query),
  }),
  endpoint({
    method: "POST",
    path: "/policies",
    tag,
    summary: "Make a policy; its first run is its next due time",
    permission: "policy.write",
    body: createPolicyInput,
    output: policySchema,
    status: 201,
    handle: (ctx, { body }) => createPolicy(ctx, body),
  }),
  endpoint({
    method: "GET",
    path: "/policies/{policy}",
    tag,
    summary: "One policy by name or id",
    permission: "read",
    output: policySchema,
    handle: (ctx, { params }) => getPolicy(ctx, params.policy ?? ""),
  }),
  endpoint({
    method: "PATCH",
    path: "/policies/{policy}",
    tag,
    summary: "Change a policy; what is not given stays",
    permission: "policy.write",
    body: updatePolicyInput,
    output: policySchema,
    handle: (ctx, { params, body }) => updatePolicy(ctx, params.policy ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/policies/{policy}/pause",
    tag,
    summary: "Let due times pass, each recorded as skipped; nothing of it is deleted",
    permission: "policy.write",
    output: policySchema,
    handle: (ctx, { params }) => pausePolicy(ctx, params.policy ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/policies/{policy}/resume",
    tag,
    summary: "Run at the next due time again",
    permission: "policy.write",
    output: policySchema,
    handle: (ctx, { params }) => resumePolicy(ctx, params.policy ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/policies/{policy}/archive",
    tag,
    summary: "End a policy; its backups stay",
    permission: "policy.write",
    output: policySchema,
    handle: (ctx, { params }) => archivePolicy(ctx, params.policy ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/policies/{policy}/run",
    tag,
    summary: "Back up everything that it covers now",
    permission: "policy.run",
    output: policyRunSchema,
    status: 202,
    handle: (ctx, { params }) => runPolicy(ctx, params.policy ?? ""),
  }),
  endpoint({
    method: "GET",
    path: "/policies/{policy}/runs",
    tag,
    summary: "Its runs, newest due time first: also those that were missed or skipped",
    permission: "read",
    query: listPolicyRunsQuery,
    output: pageOf(policyRunItemSchema),
    handle: (ctx, { params, query }) => listPolicyRuns(ctx, params.policy ?? "", query),
  }),
  endpoint({
    method: "GET",
    path: "/policies/{policy}/runs/{run}",
    tag,
    summary: "One run with its databases and their backups",
    permission: "read",
    output: policyRunSchema,
    handle: (ctx, { params }) => getPolicyRun(ctx, params.policy ?? "", params.run ?? ""),
  }),
  endpoint({
    method: "GET",
    path: "/policies/{policy}/simulation",
    tag,
    summary: "Its next runs, and what its retention deletes and keeps of the backups that there are",
    permission: "read",
    output: simulationSchema,
    handle: (ctx, { params }) => simulatePolicy(ctx, params.policy ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/policy-simulations",
    tag,
    summary: "The same for a policy before it is saved; changes nothing",
    permission: "policy.write",
    body: simulatePolicyInput,
    output: simulationSchema,
    handle: (ctx, { body }) => simulateDraft(ctx, body),
  }),
  endpoint({
    method: "GET",
    path: "/uncovered-databases",
    tag,
    summary: "Databases that no policy covers",
    permission: "read",
    output: pageOf(uncoveredSchema),
    handle: async (ctx) => ({ items: await listUncovered(ctx), nextCursor: null }),
  }),
];
