import type { NextConfig } from "next";

/**
 * The Content-Security-Policy of pages needs a nonce per request and is therefore set in proxy.ts; that of the API is
 * set by its dispatcher, Strict-Transport-Security by lib/web/before-next.ts, which knows the public URL.
 */
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=(), payment=(), usb=()" },
  { key: "X-DNS-Prefetch-Control", value: "off" },
];

/** For the plain pages that next-auth makes itself. */
const NO_SCRIPTS =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const config: NextConfig = {
  distDir: process.env.NEXT_DIST_DIR || ".next",
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: { position: "bottom-right" },
  // `npm run verify` checks the types of the whole project; a start need not do it again.
  typescript: { ignoreBuildErrors: process.env.HOLDFAST_BUILD === "start" },
  // Lock files above the project must not move the root.
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  serverExternalPackages: [
    "pg-boss",
    "pino",
    "pg",
    "mariadb",
    "ssh2",
    "@aws-sdk/client-s3",
    "@smithy/node-http-handler",
  ],
  headers: async () => [
    { source: "/(.*)", headers: securityHeaders },
    { source: "/api/auth/:path*", headers: [{ key: "Content-Security-Policy", value: NO_SCRIPTS }] },
  ],
};

export default config;
