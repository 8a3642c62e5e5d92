import { HoldfastError } from "../errors.ts";
import { localStorage } from "./local/local-storage.ts";
import type { Storage } from "./storage.ts";

/** What is needed to reach a destination; lives in memory only. */
export interface StorageSpec {
  name: string;
  kind: string;
  config: Record<string, unknown>;
  /** Of this installation; the destination's marker must carry it. */
  installId: string;
}

/** The adapter for a destination. Throws `invalid` for a kind or config that is not known. */
export function storageFor(spec: StorageSpec): Storage {
  if (spec.kind === "local" && typeof spec.config.folder === "string") {
    return localStorage(spec.config.folder, spec.installId);
  }
  throw new HoldfastError("invalid", `The destination ${spec.name} is of a kind that is not known here.`, {
    remedy: "Choose one of: local.",
  });
}
