"use client";
/** The log: streamed, searchable over all its lines, with a link to each line; follows the tail until scrolled up. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { Panel, Section } from "@/components/ui/section";
import { formatCount, plural } from "@/lib/format";
import type { LogLine } from "@/lib/operations/schema";
import classes from "./operation-log.module.css";
import { type LogStream, useLogStream } from "./use-log-stream";

const ROW_PX = 24;
const PADDING_PX = 8;
/** A region that scrolls must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 };
const STATES: Record<LogStream["state"], string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "connection lost, trying again",
  ended: "complete",
};

function asText(lines: LogLine[]): string {
  return lines.map((line) => `${line.at} ${line.level} ${line.step ?? ""} ${line.line}`).join("\n");
}

function download(id: string, lines: LogLine[]): void {
  const url = URL.createObjectURL(new Blob([asText(lines)], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `operation-${id}.log`;
  link.click();
  URL.revokeObjectURL(url);
}

export function OperationLog({ id, title = "Log" }: { id: string; title?: string }) {
  const { lines, state } = useLogStream(id);
  const [search, setSearch] = useState("");
  const [times, setTimes] = useState(false);
  const [wrap, setWrap] = useState(true);
  const wanted = useDeferredValue(search.trim().toLowerCase());
  const shown = useMemo(
    () => (wanted ? lines.filter((line) => line.line.toLowerCase().includes(wanted)) : lines),
    [lines, wanted],
  );
  return (
    <Section
      title={title}
      note={`${plural(lines.length, "line")}, ${STATES[state]}${wanted ? `; ${formatCount(shown.length)} with this text` : ""}`}
      actions={
        lines.length === 0 ? null : (
          <div className={classes.tools}>
            <TextInput
              size="xs"
              aria-label="Search the log"
              placeholder="Search the log"
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
              leftSection={<IconSearch size={14} aria-hidden />}
            />
            <Checkbox size="xs" label="Times" checked={times} onChange={() => setTimes(!times)} />
            <Checkbox size="xs" label="Wrap" checked={wrap} onChange={() => setWrap(!wrap)} />
            <Button size="xs" variant="default" onClick={() => download(id, lines)}>
              Download
            </Button>
          </div>
        )
      }
    >
      <Panel>
        {shown.length === 0 ? (
          <p className={classes.none}>
            {wanted ? "No line has this text." : state === "ended" ? "It wrote no log." : "No lines yet."}
          </p>
        ) : (
          <LogLines lines={shown} times={times} wrap={wrap} follow={state !== "ended" && !wanted} />
        )}
      </Panel>
    </Section>
  );
}

function LogLines({
  lines,
  times,
  wrap,
  follow,
}: {
  lines: LogLine[];
  times: boolean;
  wrap: boolean;
  follow: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [target, setTarget] = useState<string | null>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    paddingStart: PADDING_PX,
    paddingEnd: PADDING_PX,
    overscan: 20,
  });

  useEffect(() => {
    const read = () => setTarget(/^#line-(\d+)$/.exec(window.location.hash)?.[1] ?? null);
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, []);

  const targetIndex = target === null ? -1 : lines.findIndex((line) => line.id === target);
  useEffect(() => {
    if (targetIndex >= 0) virtual.scrollToIndex(targetIndex, { align: "center" });
  }, [targetIndex, virtual]);

  useEffect(() => {
    if (follow && atEnd.current && target === null) virtual.scrollToIndex(lines.length - 1);
  }, [lines.length, follow, target, virtual]);

  return (
    <div
      ref={box}
      className={classes.box}
      data-wrap={wrap || undefined}
      role="log"
      aria-live="off"
      aria-label="Log of this operation"
      {...SCROLLS}
      style={{ height: `min(${virtual.getTotalSize()}px, 440px, 60vh)` }}
      onScroll={({ currentTarget: area }) => {
        atEnd.current = area.scrollHeight - area.scrollTop - area.clientHeight < ROW_PX * 2;
      }}
    >
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <div
              key={line.id}
              ref={virtual.measureElement}
              data-index={item.index}
              data-level={line.level}
              data-target={line.id === target || undefined}
              className={classes.line}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <a
                href={`#line-${line.id}`}
                className={classes.number}
                aria-label={`Link to line ${item.index + 1}`}
              >
                {item.index + 1}
              </a>
              {times ? <span className={classes.time}>{line.at.slice(11, 23)}</span> : null}
              <span className={classes.text}>
                {line.level === "info" ? "" : `${line.level}: `}
                {line.line}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
