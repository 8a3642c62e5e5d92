"use client";
/**
 * Runs a server action from a button or dialog: `run(input)` gives its data, or undefined after a failure, which
 * is then in `failure`. A second call while one is under way does nothing.
 */
import { useCallback, useRef, useState } from "react";
import { type ActionFailure, callAction, type ServerAction } from "./action-result";

export function useAction<I, T>(action: ServerAction<I, T>) {
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<ActionFailure | null>(null);
  const busy = useRef(false);

  const run = useCallback(
    async (input: I): Promise<T | undefined> => {
      if (busy.current) return undefined;
      busy.current = true;
      setPending(true);
      setFailure(null);
      try {
        const result = await callAction(action, input);
        if (result.ok) return result.data;
        setFailure(result.error);
        return undefined;
      } finally {
        busy.current = false;
        setPending(false);
      }
    },
    [action],
  );
  return { run, pending, failure, clear: () => setFailure(null) };
}
