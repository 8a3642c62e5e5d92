/**
 * State as icon and words. Good is quiet (thin check, ink text); warning and problem may be `filled`;
 * unknown is a dotted circle and never green.
 */
import {
  IconAlertTriangle,
  IconCheck,
  IconCircleDotted,
  IconCircleX,
  type IconProps,
} from "@tabler/icons-react";
import type { ComponentType, ReactNode } from "react";
import type { Tone } from "@/components/theme/theme";
import classes from "./status.module.css";

const ICONS: Record<Exclude<Tone, "running">, ComponentType<IconProps>> = {
  ok: IconCheck,
  warning: IconAlertTriangle,
  problem: IconCircleX,
  unknown: IconCircleDotted,
};

const WORDS: Record<Tone, string> = {
  ok: "Good",
  warning: "Warning",
  problem: "Problem",
  running: "Running",
  unknown: "Not known",
};

/** The icon alone, hidden from assistive technology unless `label` is set. */
export function ToneIcon({ tone, size = 16, label }: { tone: Tone; size?: number; label?: string }) {
  const hidden = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  if (tone === "running") {
    return <span className={classes.spinner} style={{ width: size - 2, height: size - 2 }} {...hidden} />;
  }
  const Icon = ICONS[tone];
  return (
    <Icon
      className={classes.icon}
      data-tone={tone}
      size={size}
      stroke={tone === "ok" ? 2 : 1.9}
      {...hidden}
    />
  );
}

export function Status({
  tone,
  children,
  detail,
  coloured = tone === "problem",
}: {
  tone: Tone;
  children: ReactNode;
  /** A second, quieter line. */
  detail?: ReactNode;
  /** Colour the words, too. */
  coloured?: boolean;
}) {
  return (
    <span className={classes.status} data-tone={tone}>
      <ToneIcon tone={tone} />
      <span>
        <span className={coloured ? classes.words : undefined}>{children ?? WORDS[tone]}</span>
        {detail ? <span className={classes.detail}>{detail}</span> : null}
      </span>
    </span>
  );
}

/** A small tinted label with an icon: for the state of a running or ended thing. */
export function StateBadge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      <ToneIcon tone={tone} size={13} />
      {children}
    </span>
  );
}
