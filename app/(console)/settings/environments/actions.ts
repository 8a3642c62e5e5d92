"use server";
import { act } from "@/lib/actions/act";
import { createEnvironment } from "@/lib/environments/create-environment";
import { deleteEnvironment } from "@/lib/environments/delete-environment";
import { orderEnvironments } from "@/lib/environments/order-environments";
import { updateEnvironment } from "@/lib/environments/update-environment";

export async function createEnvironmentAction(input: { name: string; protected: boolean }) {
  return act((ctx) => createEnvironment(ctx, input));
}

export async function updateEnvironmentAction({
  environment,
  ...input
}: {
  environment: string;
  name: string;
  protected: boolean;
}) {
  return act((ctx) => updateEnvironment(ctx, environment, input));
}

export async function deleteEnvironmentAction({ environment }: { environment: string }) {
  return act(async (ctx) => {
    await deleteEnvironment(ctx, environment);
    return true;
  });
}

export async function orderEnvironmentsAction(input: { order: string[] }) {
  return act((ctx) => orderEnvironments(ctx, input));
}
