import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { z } from "zod";
import { HoldfastError } from "../../errors.ts";
import type { Fingerprint, ProofCheck } from "../../proof/schema.ts";
import type { Channel } from "../../sandbox/run-isolated.ts";
import type { OpenArtefact, RestoreResult, WorkContext } from "../engine.ts";
import type { SandboxAnswer, SandboxRequestMessage } from "./sandbox-messages.ts";
import { answerSchema, RESULTS } from "./sandbox-messages.ts";

/** Longest single answer in characters: the fingerprint of some 100,000 tables. */
const LONGEST_ANSWER = 64 * 1024 ** 2;

type Hears = Pick<WorkContext, "signal" | "progress">;

interface Pending {
  hear(answer: SandboxAnswer): void;
  fail(reason: unknown): void;
}

/** The worker's end of the talk with sandbox-child.ts: one request at a time. */
export class SandboxClient {
  readonly #channel: Channel;
  #pending: Pending | null = null;
  #gone: unknown = null;
  readonly #ready: Promise<string>;

  /** @param over settles with the reason when the program has ended, however that came. */
  constructor(channel: Channel, over: Promise<Error>) {
    this.#channel = channel;
    void over.then((reason) => this.#fail(reason));
    this.#ready = new Promise((resolve, reject) => {
      const hear = (answer: SandboxAnswer) => {
        if (answer.type !== "ready") return this.#fail(nonsense("its first words were not that it is ready"));
        this.#pending = null;
        resolve(answer.version);
      };
      this.#pending = { hear, fail: reject };
    });
    this.#ready.catch(() => undefined);
    this.#readLines();
  }

  /** The version of the SQLite in there; throws when the program ended before it was ready. */
  ready(): Promise<string> {
    return this.#ready;
  }

  /** Sends the dump in, to be written down and checked. Throws the dump's own error where that fails. */
  async restore(open: OpenArtefact, work: Hears): Promise<RestoreResult> {
    const dump = await open("dump");
    const { body } = this.#channel;
    try {
      const answer = this.#ask({ task: "restore" }, RESULTS.restore, work);
      // Whoever answers without having read it all would be written to for ever.
      const poured = pour(dump, body);
      const read = answer.finally(() => body.destroy());
      const [restored] = await Promise.all([read, poured]);
      return restored;
    } finally {
      dump.destroy();
      body.destroy();
    }
  }

  fingerprint(like: Fingerprint, work: Hears): Promise<Fingerprint> {
    return this.#ask({ task: "fingerprint", like }, RESULTS.fingerprint, work);
  }

  check(work: Hears): Promise<ProofCheck[]> {
    return this.#ask({ task: "check" }, RESULTS.check, work);
  }

  async #ask<T>(request: SandboxRequestMessage, schema: z.ZodType<T>, work: Hears): Promise<T> {
    work.signal.throwIfAborted();
    if (this.#gone) throw this.#gone;
    if (this.#pending)
      throw new HoldfastError("unavailable", "The sandbox is still busy with what was asked before.");
    let callOff = () => {};
    try {
      const value = await new Promise<unknown>((resolve, reject) => {
        callOff = () => reject(work.signal.reason);
        work.signal.addEventListener("abort", callOff, { once: true });
        const hear = (answer: SandboxAnswer) => {
          if (answer.type === "progress") return work.progress(answer.progress);
          this.#pending = null;
          if (answer.type === "result") resolve(answer.value);
          else reject(answer.type === "error" ? asError(answer) : nonsense("it began anew"));
        };
        this.#pending = { hear, fail: reject };
        this.#channel.input.write(`${JSON.stringify(request)}\n`);
      });
      const parsed = schema.safeParse(value);
      if (!parsed.success) throw nonsense(`the result of "${request.task}" is not of its shape`);
      return parsed.data;
    } finally {
      work.signal.removeEventListener("abort", callOff);
    }
  }

  #fail(reason: unknown): void {
    this.#gone ??= reason;
    this.#pending?.fail(this.#gone);
    this.#pending = null;
  }

  #readLines(): void {
    const { output } = this.#channel;
    let parts: string[] = [];
    let length = 0;
    output.setEncoding("utf8").on("data", (text: string) => {
      const lines = text.split("\n");
      const last = lines.pop() ?? "";
      for (const line of lines) {
        this.#hear([...parts, line].join(""));
        parts = [];
        length = 0;
      }
      parts.push(last);
      length += last.length;
      if (length <= LONGEST_ANSWER) return;
      output.destroy();
      this.#fail(nonsense("an answer of it has no end"));
    });
  }

  #hear(line: string): void {
    const parsed = answerSchema.safeParse(parseJson(line));
    if (!parsed.success) this.#fail(nonsense("a line of it is no answer"));
    else this.#pending?.hear(parsed.data);
  }
}

/** Throws the dump's error only: a program that takes no more says why by itself. */
async function pour(dump: Readable, body: Writable): Promise<void> {
  // Not a race of promises: each would be kept until the last byte.
  const closed = new AbortController();
  body.once("close", () => closed.abort());
  for await (const chunk of dump) {
    if (body.destroyed) return;
    if (!body.write(chunk)) await once(body, "drain", { signal: closed.signal }).catch(() => undefined);
  }
  body.end();
}

function asError(answer: Extract<SandboxAnswer, { type: "error" }>): Error {
  const { code, message, remedy } = answer;
  if (code !== null) return new HoldfastError(code, message, remedy ? { remedy } : {});
  return new HoldfastError("unavailable", `The sandbox could not do it: ${message}`, {
    remedy: "See that HOLDFAST_TEMP and the worker have room and memory enough, and try again.",
  });
}

function nonsense(what: string): HoldfastError {
  return new HoldfastError("unavailable", `The sandbox's program was no longer itself: ${what}.`, {
    remedy: "What the dump holds may have taken it over. Look at the database before you trust it.",
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
