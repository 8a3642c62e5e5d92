"use client";
/** Who looks at the page. `useCan` hides what would be refused; the verbs check for themselves. */
import { createContext, type ReactNode, useContext } from "react";
import type { Permission } from "@/lib/auth/permissions";
import type { Role } from "@/lib/context";

export interface Viewer {
  name: string;
  role: Role;
  permissions: Permission[];
}

const Current = createContext<Viewer>({ name: "", role: "viewer", permissions: [] });

export function ViewerProvider({ viewer, children }: { viewer: Viewer; children: ReactNode }) {
  return <Current.Provider value={viewer}>{children}</Current.Provider>;
}

export function useViewer(): Viewer {
  return useContext(Current);
}

export function useCan(permission: Permission): boolean {
  return useContext(Current).permissions.includes(permission);
}
