import type { ReactNode } from "react";
import { Shell } from "@/components/shell/shell";
import { permissionsOf } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const { actor } = await requireCtx();
  const role = "role" in actor ? actor.role : "viewer";
  return <Shell viewer={{ name: actor.name, role, permissions: permissionsOf(role) }}>{children}</Shell>;
}
