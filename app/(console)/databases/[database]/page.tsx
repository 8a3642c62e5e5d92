import type { Metadata } from "next";
import { DatabasePage } from "@/components/databases/database-page";
import {
  archiveDatabaseAction,
  backUpAction,
  preflightAction,
  proveAction,
  unarchiveDatabaseAction,
} from "../actions";

interface Props {
  params: Promise<{ database: string }>;
}

const actions = {
  backUp: backUpAction,
  prove: proveAction,
  preflight: preflightAction,
  archive: archiveDatabaseAction,
  unarchive: unarchiveDatabaseAction,
};

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: decodeURIComponent((await params).database) };
}

export default async function Page({ params }: Props) {
  return <DatabasePage name={decodeURIComponent((await params).database)} actions={actions} />;
}
