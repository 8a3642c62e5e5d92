"use client";
import dynamic from "next/dynamic";
import { useSyncExternalStore } from "react";
import { toasts } from "./toast";

const Notifications = dynamic(() => import("@mantine/notifications").then((module) => module.Notifications), {
  ssr: false,
});

export function Toasts() {
  const wanted = useSyncExternalStore(toasts.subscribe, toasts.wanted, () => false);
  return wanted ? <Notifications position="bottom-right" limit={3} autoClose={6000} /> : null;
}
