import type { Metadata } from "next";
import { RegisterPage } from "@/components/databases/register-page";
import { createDatabaseAction, testConnectionAction } from "../actions";

export const metadata: Metadata = { title: "Register a database" };

export default function Page() {
  return <RegisterPage create={createDatabaseAction} test={testConnectionAction} />;
}
