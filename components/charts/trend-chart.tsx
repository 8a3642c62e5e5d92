"use client";
/** One measure over time. Load it with next/dynamic (see trend.tsx): the chart library is heavy. */
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { formatMoment } from "@/lib/format";
import type { TrendPoint } from "./trend";
import classes from "./trend.module.css";

export default function TrendChart({
  points,
  label,
  format,
}: {
  points: TrendPoint[];
  label: string;
  format: (value: number) => string;
}) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const data = points.map(({ at, value }) => ({ at: Date.parse(at), value }));
  const day = (at: number) =>
    new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: zone }).format(at);
  return (
    <ResponsiveContainer width="100%" height={150} initialDimension={{ width: 480, height: 150 }}>
      <LineChart
        data={data}
        margin={{ top: 8, right: 12, bottom: 0, left: 0 }}
        title={label}
        desc={`${label} over time`}
      >
        <CartesianGrid vertical={false} stroke="var(--hf-line)" />
        <XAxis
          dataKey="at"
          type="number"
          scale="time"
          domain={["dataMin", "dataMax"]}
          tickFormatter={day}
          minTickGap={48}
          tickLine={false}
          axisLine={{ stroke: "var(--hf-line-strong)" }}
          tick={{ fill: "var(--hf-ink-2)", fontSize: 12 }}
        />
        <YAxis
          domain={[0, "auto"]}
          tickFormatter={format}
          tickCount={4}
          width={82}
          tickLine={false}
          axisLine={false}
          tick={{ fill: "var(--hf-ink-2)", fontSize: 12 }}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: "var(--hf-line-strong)" }}
          content={({ active, payload }) => {
            const point = payload?.[0]?.payload as { at: number; value: number } | undefined;
            if (!active || !point) return null;
            return (
              <div className={classes.tooltip}>
                <strong>{format(point.value)}</strong>
                <span>{formatMoment(new Date(point.at), zone)}</span>
              </div>
            );
          }}
        />
        <Line
          dataKey="value"
          name={label}
          stroke="var(--hf-accent)"
          strokeWidth={2}
          dot={{ r: 2.5, fill: "var(--hf-accent)", strokeWidth: 0 }}
          activeDot={{ r: 4 }}
          isAnimationActive={false}
        />
      </LineChart>
    </ResponsiveContainer>
  );
}
