import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.mjs";

const conditions = ["longwave-source", "module", "node", "development|production", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{packages,apps}/*/test/**/*.test.ts", "{testkit,bench,examples,scripts}/test/**/*.test.ts"],
    globalSetup: ["./scripts/vitest-setup.mjs"],
    reporters: process.env["CI"] ? ["default", "./scripts/count-reporter.mjs"] : ["default"],
    pool: "forks",
    // One more than the two cores that continuous integration has: some files wait for a browser or a live station.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    execArgv: ["--expose-gc", "--min-semi-space-size=64"],
    // Bounds for what hangs, not for what is slow: a busy machine must not fail a test.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
