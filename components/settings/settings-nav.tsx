"use client";
/** The parts of Settings as a row of links; a part that would be refused is not shown. */
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useViewer } from "@/components/shell/viewer";
import type { Permission } from "@/lib/auth/permissions";
import classes from "./settings-nav.module.css";

const PARTS: { href: string; label: string; needs: Permission }[] = [
  { href: "/settings/account", label: "Your account", needs: "account.own" },
  { href: "/settings/members", label: "Members", needs: "member.read" },
  { href: "/settings/tokens", label: "API tokens", needs: "token.write" },
  { href: "/settings/environments", label: "Environments", needs: "read" },
  { href: "/settings/destinations", label: "Destinations", needs: "read" },
  { href: "/settings/keys", label: "Keys", needs: "key.write" },
  { href: "/settings/workers", label: "Workers", needs: "read" },
];

export function SettingsNav() {
  const path = usePathname();
  const { permissions } = useViewer();
  return (
    <nav aria-label="Settings" className={classes.nav}>
      {PARTS.filter(({ needs }) => permissions.includes(needs)).map(({ href, label }) => (
        <Link key={href} href={href} aria-current={path.startsWith(href) ? "page" : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
