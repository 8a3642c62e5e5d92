import { archiveDestination } from "../../destinations/archive-destination.ts";
import { createDestination } from "../../destinations/create-destination.ts";
import { listDestinations } from "../../destinations/list-destinations.ts";
import { readDestinationHostKey } from "../../destinations/read-host-key.ts";
import {
  createDestinationInput,
  destinationSchema,
  destinationTestSchema,
  hostKeySchema,
  readHostKeyInput,
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
    summary: "Add a destination; a small object is written, read back, listed and deleted first",
    permission: "destination.write",
    body: createDestinationInput,
    output: destinationSchema,
    status: 201,
    handle: (ctx, { body }) => createDestination(ctx, body),
  }),
  endpoint({
    method: "POST",
    path: "/destination-host-keys",
    tag,
    summary: "Read the key that an SSH server shows, to compare it before it is pinned",
    permission: "destination.write",
    body: readHostKeyInput,
    output: hostKeySchema,
    handle: (ctx, { body }) => readDestinationHostKey(ctx, body),
  }),
  endpoint({
    method: "PATCH",
    path: "/destinations/{destination}",
    tag,
    summary: "Rename a destination, or change how it is signed in to; new settings are tried out first",
    permission: "destination.write",
    body: updateDestinationInput,
    output: destinationSchema,
    handle: (ctx, { params, body }) => updateDestination(ctx, params.destination ?? "", body),
  }),
  endpoint({
    method: "POST",
    path: "/destinations/{destination}/test",
    tag,
    summary: "Write, read back, list and delete a small object there",
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
