import type { Metadata } from "next";
import { DestinationsPage } from "@/components/settings/destinations-page";
import { archiveDestinationAction, createDestinationAction, testDestinationAction } from "./actions";

export const metadata: Metadata = { title: "Destinations" };

export default function Page() {
  return (
    <DestinationsPage
      actions={{
        create: createDestinationAction,
        test: testDestinationAction,
        archive: archiveDestinationAction,
      }}
    />
  );
}
