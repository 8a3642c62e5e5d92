import { defineConfig } from "vitest/config";

const exclude = ["node_modules/**", "data/**", ".next/**"];
const full = process.env.HOLDFAST_TEST_FULL === "1";
const timeouts = { testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...exclude, "**/*.{contract,integration,matrix}.test.ts"],
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
          // The long matrices: npm run test:full.
          include: ["**/*.integration.test.ts", ...(full ? ["**/*.matrix.test.ts"] : [])],
          exclude,
          globalSetup: ["lib/testing/metadata-server.setup.ts"],
          ...timeouts,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
