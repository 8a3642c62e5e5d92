/** The pages of the console: navigation, palette and shortcuts are made from this. */
export interface ConsolePage {
  label: string;
  href: string;
  /** Second key after g. */
  key: string;
  /** What it answers, for the palette. */
  about: string;
  /** Shows the environment switcher. */
  byEnvironment?: boolean;
}

export const consolePages: ConsolePage[] = [
  { label: "Overview", href: "/", key: "o", about: "What needs you, and every promise", byEnvironment: true },
  { label: "Databases", href: "/databases", key: "d", about: "What is looked after", byEnvironment: true },
  { label: "Backups", href: "/backups", key: "b", about: "Runs, copies and proofs", byEnvironment: true },
  { label: "Policies", href: "/policies", key: "l", about: "What is backed up when, and how long it stays" },
  { label: "Operations", href: "/operations", key: "p", about: "The ledger of all work" },
  { label: "Audit", href: "/audit", key: "a", about: "Who did what, and when" },
];
export const settingsPage: ConsolePage = {
  label: "Settings",
  href: "/settings",
  key: "s",
  about: "Members, tokens, environments, destinations, keys, workers",
};

export function isWithin(path: string, href: string): boolean {
  return href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`);
}
