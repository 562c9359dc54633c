import { defineConfig } from "vitest/config";

const conditions = ["longwave-source", "module", "node", "development|production", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{packages,apps}/*/test/**/*.test.ts", "{testkit,bench,examples,scripts}/test/**/*.test.ts"],
    globalSetup: ["./scripts/vitest-setup.mjs"],
    reporters: process.env["CI"] ? ["default", "./scripts/count-reporter.mjs"] : ["default"],
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--expose-gc", "--min-semi-space-size=64"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
