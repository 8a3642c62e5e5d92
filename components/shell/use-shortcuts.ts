"use client";
/** Keys: g and a letter goes to a page, / or ⌘K searches, ? lists them. Single keys can be switched off. */
import { useLocalStorage } from "@mantine/hooks";
import { useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { consolePages, settingsPage } from "./pages";

const SECOND_KEY_MS = 1500;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, textarea, select, [contenteditable], [role=menu]") !== null
  );
}

export function useShortcuts(actions: { search: () => void; list: () => void }) {
  const router = useRouter();
  const [on, setOn] = useLocalStorage({ key: "holdfast-single-keys", defaultValue: true });
  const first = useRef(0);
  const latest = useRef(actions);
  latest.current = actions;

  useEffect(() => {
    function press(event: KeyboardEvent) {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        latest.current.search();
        return;
      }
      if (!on || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]')) return;
      if (first.current > Date.now() - SECOND_KEY_MS) {
        first.current = 0;
        const page = [...consolePages, settingsPage].find((candidate) => candidate.key === event.key);
        if (page) {
          event.preventDefault();
          router.push(page.href);
        }
        return;
      }
      if (event.key === "g") first.current = Date.now();
      else if (event.key === "/") {
        event.preventDefault();
        latest.current.search();
      } else if (event.key === "?") latest.current.list();
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [on, router]);
  return { on, setOn };
}
