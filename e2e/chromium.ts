import { existsSync } from "node:fs";

/** The browser that the journeys run in: HOLDFAST_CHROMIUM, or the system's Chromium; null when there is none. */
export function findChromium(): string | null {
  const candidates = [
    process.env.HOLDFAST_CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];
  return candidates.find((file) => file !== undefined && file !== "" && existsSync(file)) ?? null;
}
