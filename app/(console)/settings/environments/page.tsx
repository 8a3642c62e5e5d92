import type { Metadata } from "next";
import { EnvironmentsPage } from "@/components/settings/environments-page";
import {
  createEnvironmentAction,
  deleteEnvironmentAction,
  orderEnvironmentsAction,
  updateEnvironmentAction,
} from "./actions";

export const metadata: Metadata = { title: "Environments" };

export default function Page() {
  return (
    <EnvironmentsPage
      actions={{
        create: createEnvironmentAction,
        update: updateEnvironmentAction,
        remove: deleteEnvironmentAction,
        order: orderEnvironmentsAction,
      }}
    />
  );
}
