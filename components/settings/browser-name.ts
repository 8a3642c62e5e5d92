/** Tokens of user agents and what they mean; the first that is there counts, since later ones are claimed by many. */
const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const SYSTEMS = [
  ["Windows", "Windows"],
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Mac OS X", "macOS"],
  ["Linux", "Linux"],
] as const;

/** "Firefox on Linux" from a user agent; the beginning of its text where that fails. */
export function browserName(userAgent: string | null): string {
  if (!userAgent) return "not known";
  const browser = BROWSERS.find(([token]) => userAgent.includes(token))?.[1];
  const system = SYSTEMS.find(([token]) => userAgent.includes(token))?.[1];
  return browser && system ? `${browser} on ${system}` : userAgent.slice(0, 60);
}
