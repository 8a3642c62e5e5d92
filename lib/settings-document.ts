import type { z } from "zod";
import { SETTINGS } from "./env.ts";

const INTRODUCTION = `# Settings

Settings are environment variables, read once at the start; a wrong one stops it with its name and the reason. An empty
one counts as not set. This page is made from \`lib/env.ts\` by \`npm run docs\`.
`;

/** docs/settings.md as it should be: one row per setting, in the order of SETTINGS. */
export function settingsDocument(): string {
  const rows = Object.entries(SETTINGS).map(([name, { shape, about }]) => {
    const fallback = defaultOf(shape);
    return `| \`${name}\` | ${fallback === null ? "" : `\`${fallback}\``} | ${about.replaceAll("|", "\\|")} |`;
  });
  return `${INTRODUCTION}\n| setting | default | meaning |\n|---|---|---|\n${rows.join("\n")}\n`;
}

/** What an unset setting becomes; null when it stays unset. */
function defaultOf(shape: z.ZodType): string | null {
  const value: unknown = shape.parse(undefined);
  return value === undefined ? null : String(value);
}
