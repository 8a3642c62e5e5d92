"use client";
/** The frame around every page of the console: navigation, search, environment, running work, account. */
import { ActionIcon, Burger, Kbd, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useState } from "react";
import { LiveProvider } from "@/components/live/live-provider";
import { useActiveOperations } from "@/components/live/use-active-operations";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { Account } from "./account";
import { EnvironmentSwitcher } from "./environment-switcher";
import { Mark } from "./logo";
import { Nav } from "./nav";
import { consolePages } from "./pages";
import classes from "./shell.module.css";
import { useShortcuts } from "./use-shortcuts";
import { type Viewer, ViewerProvider } from "./viewer";

// Heavy and rarely opened: fetched at first use.
const Palette = dynamic(() => import("./palette"), { ssr: false });
const PhoneDrawer = lazyDialog(() => import("./phone-drawer"));
const ShortcutsDialog = lazyDialog(() => import("./shortcuts-dialog"));

export function Shell({ viewer, children }: { viewer: Viewer; children: ReactNode }) {
  const path = usePathname();
  const [drawer, { open, close }] = useDisclosure(false);
  const [keys, setKeys] = useState(false);
  const [searches, setSearches] = useState(0);
  const search = () => setSearches((count) => count + 1);
  const shortcuts = useShortcuts({ search, list: () => setKeys(true) });
  const byEnvironment = consolePages.some((page) => page.byEnvironment && page.href === path);

  return (
    <ViewerProvider viewer={viewer}>
      <LiveProvider>
        <a href="#main" className={classes.skip}>
          Skip to the content
        </a>
        <div className={classes.shell}>
          <aside className={classes.side}>
            <Nav />
          </aside>
          <div className={classes.column}>
            <header className={classes.bar}>
              <Burger
                className={classes.burger}
                opened={drawer}
                onClick={open}
                size="sm"
                aria-label="Open the navigation"
              />
              <Link href="/" className={classes.phoneBrand} aria-label="Holdfast, Overview">
                <Mark />
              </Link>
              <UnstyledButton className={classes.search} onClick={search}>
                <span>Search or jump to…</span>
                <Kbd size="xs">⌘K</Kbd>
              </UnstyledButton>
              {byEnvironment ? <EnvironmentSwitcher /> : null}
              <div className={classes.end}>
                <ActionIcon
                  className={classes.phoneSearch}
                  variant="subtle"
                  color="unknown"
                  size="lg"
                  aria-label="Search"
                  onClick={search}
                >
                  <IconSearch size={19} />
                </ActionIcon>
                <RunningCount />
                <Account onShortcuts={() => setKeys(true)} />
              </div>
            </header>
            <main id="main" tabIndex={-1} className={classes.main}>
              {children}
            </main>
          </div>
        </div>
        <PhoneDrawer opened={drawer} onClose={close} />
        <ShortcutsDialog opened={keys} onClose={() => setKeys(false)} {...shortcuts} />
        {searches > 0 ? <Palette opened={searches} /> : null}
      </LiveProvider>
    </ViewerProvider>
  );
}

function RunningCount() {
  const { data } = useActiveOperations();
  const running = data?.items.filter((operation) => operation.state !== "queued").length ?? 0;
  const queued = (data?.items.length ?? 0) - running;
  if (running + queued === 0) return null;
  const more = data?.nextCursor ? "+" : "";
  const text = running > 0 ? `${running}${more} running` : `${queued}${more} queued`;
  return (
    <Link href="/operations?state=active" className={classes.running}>
      {text}
    </Link>
  );
}
