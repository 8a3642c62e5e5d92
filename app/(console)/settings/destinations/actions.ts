"use server";
import { act } from "@/lib/actions/act";
import { archiveDestination } from "@/lib/destinations/archive-destination";
import { createDestination } from "@/lib/destinations/create-destination";
import { readDestinationHostKey } from "@/lib/destinations/read-host-key";
import type { CreateDestinationInput, UpdateDestinationInput } from "@/lib/destinations/schema";
import { testDestination } from "@/lib/destinations/test-destination";
import { updateDestination } from "@/lib/destinations/update-destination";

export async function createDestinationAction(input: CreateDestinationInput) {
  return act((ctx) => createDestination(ctx, input));
}

export async function updateDestinationAction({
  destination,
  input,
}: {
  destination: string;
  input: UpdateDestinationInput;
}) {
  return act((ctx) => updateDestination(ctx, destination, input));
}

export async function readHostKeyAction(input: { host: string; port: number }) {
  return act((ctx) => readDestinationHostKey(ctx, input));
}

export async function testDestinationAction({ destination }: { destination: string }) {
  return act((ctx) => testDestination(ctx, destination));
}

export async function archiveDestinationAction({ destination }: { destination: string }) {
  return act((ctx) => archiveDestination(ctx, destination));
}
