/** Runs once in the server process, before its first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { stampAddresses } = await import("@/lib/auth/client-address.ts");
  stampAddresses();
  const { startWebBackground } = await import("@/lib/start/web-background.ts");
  await startWebBackground();
}
