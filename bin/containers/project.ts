import { setTimeout as delay } from "node:timers/promises";
import type { ContainerEngine } from "./engine.ts";
import { run } from "./engine.ts";

/** Longest wait for any condition: a slow machine is no fault. */
const PATIENCE_MS = 10 * 60_000;
const COMPOSE_FILES = ["docker-compose.yml", "bin/containers/source.compose.yml"];

/** What `inspect` says of one container, as far as it is used here. */
export interface Container {
  Id: string;
  Name: string;
  RestartCount: number;
  Mounts: { Type: string; Name?: string }[];
  State: {
    Status: string;
    Running: boolean;
    ExitCode: number;
    StartedAt: string;
    Health?: { Status: string };
  };
}

/** One compose project made from the project's own file, with a database server to back up beside it. */
export interface Project {
  engine: ContainerEngine;
  name: string;
  env: Record<string, string>;
  compose(args: readonly string[], input?: string): Promise<string>;
  /** `docker …` or `podman …`; returns what it printed. */
  run(args: readonly string[], input?: string): Promise<string>;
  containers(service: string): Promise<Container[]>;
  /** SQL on the server to be backed up. */
  sql(database: string, text: string): Promise<string>;
}

export function composeProject(engine: ContainerEngine, env: Record<string, string>): Project {
  const name = `holdfast-test-${process.pid}`;
  const all = { ...engine.env, ...env };
  const files = COMPOSE_FILES.flatMap((file) => ["-f", file]);
  const compose = (args: readonly string[], input?: string) =>
    run([...engine.compose, ...files, "-p", name, ...args], {
      env: all,
      ...(input === undefined ? {} : { input }),
    });
  const plain = (args: readonly string[], input?: string) =>
    run([engine.name, ...args], { env: engine.env, ...(input === undefined ? {} : { input }) });
  return {
    engine,
    name,
    env: all,
    compose,
    run: plain,
    async containers(service) {
      const labels = [`project=${name}`, `service=${service}`].flatMap((label) => [
        "--filter",
        `label=com.docker.compose.${label}`,
      ]);
      const ids = (await plain(["ps", "-aq", ...labels])).split("\n").filter((id) => id !== "");
      return ids.length === 0 ? [] : (JSON.parse(await plain(["inspect", ...ids])) as Container[]);
    },
    async sql(database, text) {
      const psql = ["exec", "-T", "source", "psql", "-U", "shop", "-d", database, "-XAt"];
      return (await compose([...psql, "-v", "ON_ERROR_STOP=1"], text)).trim();
    },
  };
}

/** Something is not as it should be, and waiting would not change that. */
class Wrong extends Error {}

/** Asks until `check` returns something other than null, and returns that. Errors count as "not yet", but for `assert`'s. */
export async function until<T>(what: string, check: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  let last = "";
  while (Date.now() < deadline) {
    try {
      const found = await check();
      if (found !== null) return found;
      last = "";
    } catch (error) {
      if (error instanceof Wrong) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    await delay(500);
  }
  throw new Error(`waited ${PATIENCE_MS / 60_000} minutes for this: ${what}${last ? ` (${last})` : ""}`);
}

/** Fails with `message` unless it holds. */
export function assert(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Wrong(message);
}

/**
 * Runs the project's health checks where the engine leaves that to timers that are not here; without them no
 * service that waits for another's health would ever start. Ends with the signal.
 */
export async function driveHealthChecks(project: Project, signal: AbortSignal): Promise<void> {
  const label = `label=com.docker.compose.project=${project.name}`;
  while (!signal.aborted) {
    const ids = (await project.run(["ps", "-q", "--filter", label]).catch(() => "")).split("\n");
    for (const id of ids.filter((one) => one !== "")) {
      // It fails while the container is not well, or has none: `inspect` tells.
      if (!signal.aborted) await project.run(["healthcheck", "run", id]).catch(() => undefined);
    }
    await delay(3000, undefined, { signal }).catch(() => undefined);
  }
}
