"use client";
import { Button } from "@mantine/core";
import Link from "next/link";
import { useState } from "react";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel } from "@/components/ui/section";
import { ToneIcon } from "@/components/ui/status";
import type { Attention } from "@/lib/overview/schema";
import classes from "./overview.module.css";

const SHOWN = 6;

/** What needs a person, worst first, each with the action that fixes it; only the first one is the primary button. */
export function AttentionList({ items }: { items: Attention[] }) {
  const [all, setAll] = useState(false);
  if (items.length === 0) return null;
  const shown = all ? items : items.slice(0, SHOWN);
  return (
    <section aria-label="Needs attention">
      <Panel>
        <ul className={classes.attention}>
          {shown.map((item, index) => (
            <li key={item.id}>
              <ToneIcon
                tone={item.severity}
                size={19}
                label={item.severity === "problem" ? "Problem" : "Warning"}
              />
              <div className={classes.attentionWords}>
                <p className={classes.attentionTitle}>{item.title}</p>
                <p className={classes.attentionDetail}>
                  {item.since ? item.detail.replace(/\.$/, "") : item.detail}
                  {item.since ? (
                    <>
                      {item.detail ? " · " : ""}since <RelativeTime at={item.since} />
                    </>
                  ) : null}
                </p>
              </div>
              <Button component={Link} href={item.action.href} variant={index === 0 ? "filled" : "default"}>
                {item.action.label}
              </Button>
            </li>
          ))}
        </ul>
        {items.length > SHOWN ? (
          <div className={classes.more}>
            <Button variant="subtle" size="compact-sm" onClick={() => setAll(!all)}>
              {all ? "Show fewer" : `Show all ${items.length}`}
            </Button>
          </div>
        ) : null}
      </Panel>
    </section>
  );
}
