import { archiveDestination } from "../../destinations/archive-destination.ts";
import { createDestination } from "../../destinations/create-destination.ts";
import { listDestinations } from "../../destinations/list-destinations.ts";
import {
  createDestinationInput,
  destinationSchema,
  destinationTestSchema,
  updateDestinationInput,
} from "../../destinations/schema.ts";
import { testDestination } from "../../destinations/test-destination.ts";
import { updateDestination } from "../../destinations/update-destination.ts";
import { pageOf } from "../../paging.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Destinations";

export const destinationEndpoints = [
  endpoint({
    method: "GET",
    path: "/destinations",
    tag,
    summary: "Places where copies of backups live",
    permission: "read",
    output: pageOf(destinationSchema),
    handle: (ctx) => listDestinations(ctx),
  }),
  endpoint({
    method: "POST",
    path: "/destinations",
    tag,
    summary: "Add a destination; a small object is written, read back and deleted first",
    permission: "destination.write",
    body: createDestinationInput,
    output: destinationSchema,
    status: 201,
    handle: (ctx, { body }) => createDestination(ctx, body),
  }),
  endpoint({
    method: "PATCH",
    path: "/destinations/{destination}",
    tag,
    summary: "Rename a destination",
    permission: "destination.write",
    body: updateDestinationInput,
    output: destinationSchema,
    handle: (ctx, { params, body }) => updateDestination(ctx, params.destination ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/destinations/{destination}/test",
    tag,
    summary: "Write, read back and delete a small object there",
    permission: "destination.write",
    output: destinationTestSchema,
    handle: (ctx, { params }) => testDestination(ctx, params.destination ?? ""),
  }),
  endpoint({
    method: "POST",
    path: "/destinations/{destination}/archive",
    tag,
    summary: "Use it for no new backup; its copies stay",
    permission: "destination.write",
    output: destinationSchema,
    handle: (ctx, { params }) => archiveDestination(ctx, params.destination ?? ""),
  }),
];
