"use client";
import dynamic from "next/dynamic";
import { useState } from "react";
import { AccountButton } from "./account-button";
import { useViewer } from "./viewer";

const load = () => import("./user-menu");
const UserMenu = dynamic(load, { ssr: false });

/** The account's button; its menu is fetched when the pointer or the focus comes near. */
export function Account({ onShortcuts }: { onShortcuts: () => void }) {
  const viewer = useViewer();
  const [wanted, setWanted] = useState(false);
  if (wanted) return <UserMenu onShortcuts={onShortcuts} />;
  return (
    <AccountButton
      name={viewer.name}
      aria-expanded={false}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => setWanted(true)}
    />
  );
}
