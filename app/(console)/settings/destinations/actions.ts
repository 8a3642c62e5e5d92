"use server";
import { act } from "@/lib/actions/act";
import { archiveDestination } from "@/lib/destinations/archive-destination";
import { createDestination } from "@/lib/destinations/create-destination";
import { testDestination } from "@/lib/destinations/test-destination";

export async function createDestinationAction(input: {
  name: string;
  kind: "local";
  config: { folder: string };
}) {
  return act((ctx) => createDestination(ctx, input));
}

export async function testDestinationAction({ destination }: { destination: string }) {
  return act((ctx) => testDestination(ctx, destination));
}

export async function archiveDestinationAction({ destination }: { destination: string }) {
  return act((ctx) => archiveDestination(ctx, destination));
}
