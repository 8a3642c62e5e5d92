"use client";
/**
 * Asks before something that can't be taken back or that disturbs others. The title is a question that names the
 * act, the body its consequences, the button repeats the verb. With `typeName` the object's own name must be
 * typed (the server checks it again); there is no copy button beside it, on purpose.
 */
import type { ReactNode } from "react";
import type { ActionFailure } from "./action-result";
import { lazyDialog } from "./lazy-dialog";

export interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  /** "Restore over shop-staging?" */
  title: string;
  children: ReactNode;
  /** "Restore over it" */
  confirmLabel: string;
  onConfirm: (typed: string) => void | Promise<void>;
  pending?: boolean;
  failure?: ActionFailure | null;
  danger?: boolean;
  /** The name that has to be typed. */
  typeName?: string;
}

export const ConfirmDialog = lazyDialog<ConfirmProps>(() => import("./confirm-dialog-content"));
