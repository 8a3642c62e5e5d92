import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../lib/testing/postgres.ts";
import { startInstall } from "./install.ts";

/**
 * One install with an empty data folder for all journeys. They find it by HOLDFAST_E2E_URL and claim it with
 * HOLDFAST_E2E_CLAIM_TOKEN; HOLDFAST_E2E_DATA is its data folder. With HOLDFAST_E2E_URL set from outside that
 * install is used and none is started.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  if (process.env.HOLDFAST_E2E_URL) return async () => undefined;
  const folder = mkdtempSync(path.join(tmpdir(), "hf-e2e-"));
  // The database server's own user has to get through.
  chmodSync(folder, 0o755);
  const install = await startInstall({ port: await freePort(), dataFolder: path.join(folder, "data") });
  process.env.HOLDFAST_E2E_URL = install.url;
  process.env.HOLDFAST_E2E_DATA = install.dataFolder;
  process.env.HOLDFAST_E2E_CLAIM_TOKEN = install.claimToken ?? "";
  return async () => {
    await install.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
