"use client";
/**
 * A dialog whose code is fetched when it is first opened. It stays mounted from then on, so that closing it gives
 * the focus back.
 *
 *   const BackupDialog = lazyDialog(() => import("./backup-dialog"));   // its default export
 */
import {
  type ComponentType,
  createElement,
  lazy,
  type ReactNode,
  Suspense,
  useEffect,
  useState,
} from "react";

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

interface Lazy<P> {
  dialog: ComponentType<P>;
  dialogProps: P;
}

function WhenOpened<P extends { opened: boolean }>({ dialog, dialogProps }: Lazy<P>) {
  const used = useEver(dialogProps.opened);
  if (!used) return null;
  return (
    <Suspense fallback={null}>
      <OpenedOnceMounted dialog={dialog} dialogProps={dialogProps} />
    </Suspense>
  );
}

/** The dialog notes where the focus was when it changes from closed to opened: it is mounted closed. */
function OpenedOnceMounted<P extends { opened: boolean }>({ dialog: Dialog, dialogProps }: Lazy<P>) {
  const [mounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  return <Dialog {...dialogProps} opened={mounted && dialogProps.opened} />;
}
