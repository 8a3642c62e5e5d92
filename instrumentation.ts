/** Runs once in the server process, before its first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { stampRequests } = await import("@/lib/auth/client-address.ts");
  stampRequests();
  const { startWebBackground } = await import("@/lib/start/web-background.ts");
  await startWebBackground();
}
