/**
 * A short word about something that is visible elsewhere, too; never for errors or long texts. The container and
 * its library are fetched with the first one.
 */
const listeners = new Set<() => void>();
let wanted = false;

export async function toast(message: string): Promise<void> {
  wanted = true;
  for (const listener of listeners) listener();
  const { notifications } = await import("@mantine/notifications");
  notifications.show({ message });
}

/** For the place that shows them: whether there has been any. */
export const toasts = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  wanted: () => wanted,
};
