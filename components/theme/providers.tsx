"use client";
/** Everything that pages stand on: theme, queries of the browser, the clock, notifications. */
import { MantineProvider } from "@mantine/core";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ClockProvider } from "@/components/ui/clock";
import { Toasts } from "@/components/ui/toasts";
import { ApiError } from "@/lib/api-client";
import { cssVariables, theme } from "./theme";

declare global {
  // Read by the scroll lock of dialogs when it adds its style element.
  var __webpack_nonce__: string | undefined;
}

function makeClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.problem.status === 401) window.location.assign("/login");
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        // A refused or missing thing stays so; only a server out of reach is worth another try.
        retry: (count, error) =>
          count < 2 && error instanceof ApiError && [0, 502, 503, 504].includes(error.problem.status),
      },
    },
  });
}

export function Providers({ nonce, now, children }: { nonce: string; now: number; children: ReactNode }) {
  const [client] = useState(makeClient);
  globalThis.__webpack_nonce__ = nonce;
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={client}>
        <ClockProvider now={now}>
          {children}
          <Toasts />
        </ClockProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
