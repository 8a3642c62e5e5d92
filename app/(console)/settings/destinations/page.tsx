import type { Metadata } from "next";
import { DestinationsPage } from "@/components/settings/destinations-page";
import {
  archiveDestinationAction,
  createDestinationAction,
  readHostKeyAction,
  testDestinationAction,
  updateDestinationAction,
} from "./actions";

export const metadata: Metadata = { title: "Destinations" };

export default function Page() {
  return (
    <DestinationsPage
      actions={{
        create: createDestinationAction,
        update: updateDestinationAction,
        readHostKey: readHostKeyAction,
        test: testDestinationAction,
        archive: archiveDestinationAction,
      }}
    />
  );
}
