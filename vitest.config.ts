import { defineConfig } from "vitest/config";

const exclude = ["node_modules/**", "data/**", ".next/**"];
const timeouts = { testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...exclude, "**/*.contract.test.ts", "**/*.integration.test.ts"],
          ...timeouts,
        },
      },
      {
        test: {
          name: "contract",
          include: ["**/*.contract.test.ts"],
          exclude,
          ...timeouts,
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["**/*.integration.test.ts"],
          exclude,
          globalSetup: ["lib/testing/metadata-server.setup.ts"],
          ...timeouts,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
