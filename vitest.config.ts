import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.mjs";

const conditions = ["longwave-source", "module", "node", "development|production", "import", "default"];
const files = ["{packages,apps}/*/test/**/*.test.ts", "{testkit,bench,examples,scripts}/test/**/*.test.ts"];
/**
 * Files that need a process of their own: those that measure allocation, because what other files made of the engine's
 * inline caches would show there, and those that put something into the place of a global.
 */
const alone = ["apps", "packages", "examples", "testkit", "scripts", "bench"]
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  )
  .filter((path) => /(^|[\\/])test[\\/].*\.test\.ts$/.test(path) && !path.includes("node_modules"))
  .filter((path) =>
    /allocatedBytesPerCall|allocatedPerPacket|globalThis\.\w+ = |stubGlobal|vi\.mock/.test(
      readFileSync(path, "utf8"),
    ),
  )
  .map((path) => path.replaceAll("\\", "/"));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: ["./scripts/vitest-setup.mjs"],
    reporters: process.env["CI"] ? ["default", "./scripts/count-reporter.mjs"] : ["default"],
    pool: "forks",
    // One more than the two cores that continuous integration has: some files wait for a browser or a live station.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    execArgv: ["--expose-gc", "--min-semi-space-size=64"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      // A worker keeps its modules from file to file: loading and compiling them again cost a third of the time.
      {
        extends: true,
        test: { name: "together", include: files, exclude: ["**/node_modules/**", ...alone], isolate: false },
      },
      { extends: true, test: { name: "alone", include: alone } },
    ],
  },
});
