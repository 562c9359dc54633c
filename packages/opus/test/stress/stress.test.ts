// Eight threads, each with 48 decoders and 6 encoders in one core (stress-worker.mjs). LONGWAVE_STRESS_SECONDS makes it
// long; packets are the oracle's, in every mode.
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { repositoryPath } from "@longwave/testkit";
import { expect, test } from "vitest";
import { encodePlan, streamPlans } from "../decoder/oracle-streams.ts";

const seconds = Number(process.env["LONGWAVE_STRESS_SECONDS"] ?? 0);
const isBuilt = existsSync(repositoryPath("packages/opus/dist/index.js"));

interface Outcome {
  readonly steps: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

function runWorker(seed: number, streams: readonly Uint8Array[][]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./stress-worker.mjs", import.meta.url), {
      execArgv: [], // without the test runner's conditions, which name the sources
      workerData: { seed, steps: 150, milliseconds: seconds * 1000, streams },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

test.skipIf(!isBuilt)(
  `eight threads of many codecs write nothing but their outputs${isBuilt ? "" : " (skipped: npm run build first)"}`,
  async () => {
    const streams = await Promise.all(streamPlans.map((plan, index) => encodePlan(plan, 0.2, index + 1)));
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, seed) => runWorker(seed + 1, streams)));
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
    const total = (name: string) => outcomes.reduce((sum, { counts }) => sum + counts[name]!, 0);
    for (const name of ["decoded", "refused", "concealed", "encoded", "restored", "reopened"]) {
      expect(total(name), name).toBeGreaterThan(0);
    }
    if (seconds > 0) {
      const steps = outcomes.reduce((sum, outcome) => sum + outcome.steps, 0);
      console.log(
        `${steps} calls, ${total("decoded")} packets decoded, ${total("restored")} states repeated.`,
      );
    }
  },
  30_000 + seconds * 2000,
);
