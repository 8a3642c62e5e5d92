"use client";
/** A small line chart with its newest value in words and the same figures as a table. Needs two points. */
import { Skeleton } from "@mantine/core";
import dynamic from "next/dynamic";
import { Moment } from "@/components/ui/relative-time";
import classes from "./trend.module.css";

export interface TrendPoint {
  at: string;
  value: number;
}

const TrendChart = dynamic(() => import("./trend-chart"), {
  ssr: false,
  loading: () => <Skeleton height={150} />,
});

/** `points` oldest first. */
export function Trend({
  label,
  points,
  format,
}: {
  label: string;
  points: TrendPoint[];
  format: (value: number) => string;
}) {
  const newest = points.at(-1);
  const values = points.map((point) => point.value);
  return (
    <figure className={classes.trend}>
      <figcaption>
        <span className={classes.label}>{label}</span>
        {newest ? (
          <span>
            <strong>{format(newest.value)}</strong>
            {points.length > 1 ? ` (${format(Math.min(...values))} to ${format(Math.max(...values))})` : ""}
          </span>
        ) : (
          <span>not measured yet</span>
        )}
      </figcaption>
      {points.length > 1 ? (
        <>
          <TrendChart points={points} label={label} format={format} />
          <details className={classes.table}>
            <summary>As a table</summary>
            <table>
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">{label}</th>
                </tr>
              </thead>
              <tbody>
                {points.toReversed().map((point) => (
                  <tr key={point.at}>
                    <td>
                      <Moment at={point.at} />
                    </td>
                    <td data-align="end">{format(point.value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      ) : (
        <p className={classes.few}>A trend needs two backups.</p>
      )}
    </figure>
  );
}
