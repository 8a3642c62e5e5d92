"use client";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import classes from "./floating-card.module.css";

const GAP = 8;

/** A small card in the browser's top layer above `anchor`, below it where there is no room. Takes no pointer. */
export function FloatingCard({ anchor, children }: { anchor: HTMLElement | null; children: ReactNode }) {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = card.current;
    if (!element || !anchor) return;
    element.showPopover?.();
    const place = anchor.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(
      Math.max(GAP, place.left + place.width / 2 - width / 2),
      window.innerWidth - width - GAP,
    );
    const above = place.top - height - GAP;
    element.style.left = `${left}px`;
    element.style.top = `${above > 0 ? above : place.bottom + GAP}px`;
  }, [anchor]);
  return (
    <div ref={card} popover="manual" role="tooltip" className={classes.card}>
      {children}
    </div>
  );
}
