import type { Permission } from "../auth/permissions.ts";
import type { SearchHit } from "./schema.ts";

interface PageEntry {
  title: string;
  detail: string;
  href: string;
  permission: Permission;
}

/** Pages that are not in the navigation itself. */
export const pageEntries: PageEntry[] = [
  {
    title: "Members",
    detail: "Who may sign in, and as what",
    href: "/settings/members",
    permission: "member.read",
  },
  {
    title: "API tokens",
    detail: "For the CLI and for CI",
    href: "/settings/tokens",
    permission: "token.write",
  },
  {
    title: "Environments",
    detail: "The rungs from development to production",
    href: "/settings/environments",
    permission: "read",
  },
  { title: "Destinations", detail: "Where copies lie", href: "/settings/destinations", permission: "read" },
  { title: "Keys", detail: "Recipients, rotation, recovery kit", href: "/settings/keys", permission: "read" },
  {
    title: "Workers",
    detail: "Who does the work, and with what",
    href: "/settings/workers",
    permission: "read",
  },
  {
    title: "My account",
    detail: "Password, second factor, sessions",
    href: "/settings/account",
    permission: "account.own",
  },
  {
    title: "Recovery kit",
    detail: "Make or confirm it",
    href: "/setup/recovery-kit",
    permission: "key.write",
  },
  { title: "API", detail: "Every endpoint, readable", href: "/api-docs", permission: "read" },
];

export function pageHit({ title, detail, href }: PageEntry): SearchHit {
  return { kind: "page", id: href, title, detail, href };
}
