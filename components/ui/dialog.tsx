"use client";
/** A plain dialog for a form or a text; its library is fetched when the first one opens. */
import type { ReactNode } from "react";
import { lazyDialog } from "./lazy-dialog";

export interface DialogProps {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
  size?: "md" | "lg";
  closeOnClickOutside?: boolean;
}

export const Dialog = lazyDialog<DialogProps>(() => import("./dialog-content"));
