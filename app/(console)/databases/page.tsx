import type { Metadata } from "next";
import { DatabaseList } from "@/components/databases/database-list";

export const metadata: Metadata = { title: "Databases" };

export default function Page() {
  return <DatabaseList />;
}
