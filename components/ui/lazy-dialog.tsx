"use client";
/**
 * A dialog whose code is fetched when it is first opened. It stays mounted from then on, so that closing it gives
 * the focus back.
 *
 *   const BackupDialog = lazyDialog(() => import("./backup-dialog"));   // its default export
 */
import { type ComponentType, createElement, lazy, type ReactNode, Suspense, useState } from "react";

/** Whether it has been true at any time. */
function useEver(value: boolean): boolean {
  const [ever, setEver] = useState(value);
  if (value && !ever) setEver(true);
  return ever;
}

export function lazyDialog<P extends { opened: boolean }>(
  load: () => Promise<{ default: ComponentType<P> }>,
) {
  const dialog = lazy(load) as unknown as ComponentType<P>;
  return (props: P): ReactNode => createElement(WhenOpened<P>, { dialog, dialogProps: props });
}

function WhenOpened<P extends { opened: boolean }>({
  dialog: Dialog,
  dialogProps,
}: {
  dialog: ComponentType<P>;
  dialogProps: P;
}) {
  const used = useEver(dialogProps.opened);
  if (!used) return null;
  return (
    <Suspense fallback={null}>
      <Dialog {...dialogProps} />
    </Suspense>
  );
}
