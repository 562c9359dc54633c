// npm run conformance -- opus-webcodecs [--json]: the same programs (bench/src/webcodecs/scenarios.ts) with Chromium's WebCodecs
// and with @longwave/opus/webcodecs: states, errors, durations, time stamps (within 1 microsecond: Chromium truncates products
// of doubles) and sizes must be equal. Exit code 1 where one is not, 2 without Chromium.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ours from "@longwave/opus/webcodecs";
import { chromiumPath, openChromiumPage } from "../chromium-page.js";
import { packetsFrom } from "../webcodecs/mixed.js";
import { scenarios, type WebCodecs } from "../webcodecs/scenarios.js";

if (!existsSync(chromiumPath)) {
  console.error("This needs /usr/bin/chromium.");
  process.exit(2);
}

/** Where Chromium leaves the text of the standard and we do not. */
const knownDifferences: Readonly<Record<string, string>> = {
  "chunks whose time stamps jump":
    "Chromium counts on from the first chunk's time; the standard gives each AudioData the time of its chunk, and so do we",
};

/** Chromium's libopus has vector instructions: sums differ in the last place. */
const decodeLimit = 1e-6;

const page = await openPage();
const rows: { scenario: string; result: string; chromium: unknown; ours: unknown }[] = [];
try {
  for (const [name, run] of Object.entries(scenarios)) {
    const theirs = await page.run(name);
    const mine = JSON.parse(JSON.stringify(await run(ours as unknown as WebCodecs)));
    const equal = isAlike(theirs, mine);
    const known = knownDifferences[name];
    const result =
      known !== undefined ? (equal ? "FAILED: equal now" : `differs: ${known}`) : equal ? "equal" : "FAILED";
    rows.push({ scenario: name, result, chromium: theirs, ours: mine });
  }
  // Our classes in the page, with the browser's objects.
  const [packets, { frames, largest }] = await page.mixed();
  const here = await packetsFrom(ours as unknown as WebCodecs, ours);
  const same = JSON.stringify(packets) === JSON.stringify(here);
  rows.push({
    scenario: "the browser's AudioData into our encoder in Chromium, ours in Node",
    result: same ? `${here.length} packets, the same bytes` : "FAILED",
    chromium: packets.length,
    ours: here.length,
  });
  const inWorklet = await page.worklet();
  rows.push({
    scenario: "our AudioData and encoder in an AudioWorklet",
    result: JSON.stringify(inWorklet) === JSON.stringify(here) ? "the same bytes" : "FAILED",
    chromium: inWorklet.length,
    ours: here.length,
  });
  rows.push({
    scenario: "the browser's packets through its decoder and ours",
    result:
      frames > 0 && largest <= decodeLimit
        ? `${frames} frames, largest difference ${largest.toExponential(1)}`
        : `FAILED: ${frames} frames, ${largest}`,
    chromium: "",
    ours: "",
  });
} finally {
  await page.close();
}
const failed = rows.filter(({ result }) => result.startsWith("FAILED"));
if (process.argv.includes("--json")) console.log(JSON.stringify(rows, null, 2));
else {
  console.log(`| program | Chromium ${page.version} and @longwave/opus/webcodecs |\n| --- | --- |`);
  for (const { scenario, result } of rows) console.log(`| ${scenario} | ${result} |`);
  for (const { scenario, chromium: theirs, ours: mine } of failed) {
    console.log(`\n${scenario}\n  Chromium ${JSON.stringify(theirs)}\n  ours     ${JSON.stringify(mine)}`);
  }
  console.log(`${rows.length - failed.length} of ${rows.length} as expected.`);
}
process.exit(failed.length === 0 ? 0 : 1);

/** Equal values; numbers within 1. */
function isAlike(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= 1;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, i) => isAlike(value, b[i]));
  }
  return a === b;
}

async function openPage() {
  const path = (name: string) =>
    JSON.stringify(fileURLToPath(new URL(`../webcodecs/${name}.js`, import.meta.url)));
  const source = `import { scenarios } from ${path("scenarios")};
    import { decodeBoth, packetsFrom } from ${path("mixed")};
    import * as ours from "@longwave/opus/webcodecs";
    globalThis.runScenario = async (name) => JSON.stringify(await scenarios[name](globalThis));
    globalThis.runMixed = async () => [await packetsFrom(globalThis, ours), await decodeBoth(globalThis, ours)];
    // The same script as the module of an AudioWorklet, which has neither queueMicrotask nor structuredClone.
    globalThis.runWorklet = async () => {
      const context = new OfflineAudioContext(1, 128, 48000);
      await context.audioWorklet.addModule("/page.js");
      const node = new AudioWorkletNode(context, "opus");
      const answer = new Promise((resolve, reject) => {
        node.port.onmessage = ({ data }) => (Array.isArray(data) ? resolve(data) : reject(new Error(data)));
      });
      node.connect(context.destination);
      await context.startRendering();
      return answer;
    };
    if (typeof registerProcessor === "function") {
      registerProcessor("opus", class extends AudioWorkletProcessor {
        constructor() {
          super();
          packetsFrom(ours, ours).then(
            (packets) => this.port.postMessage(packets),
            (error) => this.port.postMessage(String(error)),
          );
        }
        process() {
          return false;
        }
      });
    }`;
  const { page: tab, version, close } = await openChromiumPage(source);
  await tab.waitForFunction("globalThis.runScenario !== undefined");
  return {
    version,
    run: async (name: string): Promise<unknown> =>
      JSON.parse((await tab.evaluate(`runScenario(${JSON.stringify(name)})`)) as string),
    worklet: () => tab.evaluate("runWorklet()") as Promise<number[][]>,
    mixed: () => tab.evaluate("runMixed()") as Promise<[number[][], { frames: number; largest: number }]>,
    close,
  };
}
