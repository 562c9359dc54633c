// npm run bench -- tts [--json] [--runs 3] [--frames 138]: the synthesiser with random weights of the real size (109.5 M parameters), each
// precision in a process of its own: time from the start of the process until it can speak, memory, first audio, real-time factor,
// CPU time of a frame. 27 tokens, a voice of 125 positions in memory, warm but for the first run, which is not counted.
//
// RTF and first audio are wall time, as a listener has it: run it on a quiet machine. CPU time of a frame hardly depends on the neighbours.
import { spawn } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { publishedConfigText, publishedModels } from "@longwave/tts";
import { PocketEngine } from "@longwave/tts/node";

/** What is measured, with the targets: ms, MiB, factors. */
const cases = [
  { precision: "int8", threads: 2, rtf: 0.25, firstMs: 110, residentMb: 260 },
  { precision: "int8", threads: 1, rtf: 0.4, firstMs: undefined, residentMb: undefined },
  { precision: "bf16", threads: 2, rtf: 0.32, firstMs: 150, residentMb: 320 },
  { precision: "f32", threads: 2, rtf: 0.32, firstMs: 150, residentMb: undefined },
] as const;
const readyMs = 1000;

type Precision = (typeof cases)[number]["precision"];

interface Measured {
  readonly precision: Precision;
  readonly threads: 1 | 2;
  readonly readyMs: number;
  readonly residentMb: number;
  readonly firstMs: number;
  readonly rtf: number;
  readonly cpuMsPerFrame: number;
  /** Growth over 1,000 frames, MiB; of the first case only, because it takes long. */
  readonly grownMb: number | undefined;
}

// 27 tokens of the random model's tokenizer; the end never comes, so every run has the same length.
const benchText = "eta oin shr dlc umw fgy pbv kjx qze tao";
const frames = numberOption("--frames", 138);
const runs = numberOption("--runs", 3);
const folder = join(tmpdir(), "longwave-tts-bench-1");

if (process.argv.includes("--child")) {
  const at = process.argv.indexOf("--child");
  const [precision, threads] = process.argv.slice(at + 1, at + 3);
  await measure(precision as Precision, Number(threads) as 1 | 2);
} else await main();

async function main(): Promise<void> {
  await prepare();
  // The targets speak of a start from the page cache: read the weights once, so that the first case does not measure the disk.
  for await (const _ of createReadStream(join(folder, "model.safetensors"), { highWaterMark: 1 << 22 })) {
  }
  const isJson = process.argv.includes("--json");
  const results: Measured[] = [];
  if (!isJson)
    console.log("| precision, threads | what | measured | target | |\n| --- | --- | --- | --- | --- |");
  for (const each of cases) {
    const result = await inProcess(each.precision, each.threads);
    results.push(result);
    if (isJson) continue;
    const row = (what: string, value: number, target: number | undefined, unit = "") => {
      const verdict = target === undefined ? "" : value <= target ? "ok" : "MISSED";
      const wanted = target === undefined ? "" : `<= ${target}${unit}`;
      console.log(
        `| ${each.precision}, ${each.threads} | ${what} | ${value}${unit} | ${wanted} | ${verdict} |`,
      );
    };
    row("real-time factor", result.rtf, each.rtf);
    row("first audio, 27 tokens", result.firstMs, each.firstMs, " ms");
    row("start of the process to ready", result.readyMs, readyMs, " ms");
    row("resident after load", result.residentMb, each.residentMb, " MB");
    row("CPU time a frame", result.cpuMsPerFrame, undefined, " ms");
    if (result.grownMb !== undefined) row("growth over 1,000 frames", result.grownMb, 8, " MB");
  }
  if (isJson) console.log(JSON.stringify({ frames, runs, results }));
}

/** Writes the model, once, under a name that a broken run cannot leave half-filled. */
async function prepare(): Promise<void> {
  if (existsSync(folder)) return;
  // Only here: the measured processes shall hold nothing but the engine.
  const { writeRandomSpeechModel } = await import("@longwave/testkit");
  const text = publishedConfigText(publishedModels[0]!)
    .replace(/weights_path: .*/, "weights_path: model.safetensors")
    .replace(/weights_path_without_voice_cloning: .*/, "weights_path_without_voice_cloning: null")
    .replace(/tokenizer_path: .*/, "tokenizer_path: tokenizer.model");
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  writeRandomSpeechModel(unfinished, text, { voiceRows: 125 });
  renameSync(unfinished, folder);
}

function inProcess(precision: Precision, threads: 1 | 2): Promise<Measured> {
  const started = Date.now();
  const options = ["--runs", `${runs}`, "--frames", `${frames}`];
  const file = fileURLToPath(import.meta.url);
  const child = spawn(
    process.execPath,
    ["--expose-gc", file, "--child", precision, `${threads}`, ...options, "--started", `${started}`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (block: string) => (output += block));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as Measured);
      else reject(new Error(`The measurement of ${precision}, ${threads} ended with exit code ${code}.`));
    });
  });
}

/** The child: one engine, its figures as JSON on standard output. */
async function measure(precision: Precision, threads: 1 | 2): Promise<void> {
  const engine = await PocketEngine.open({
    configPath: join(folder, "config.yaml"),
    voicesPath: join(folder, "voices/manifest.json"),
    precision,
    threads,
  });
  const ready = Date.now() - numberOption("--started", 0);
  const residentMb = process.memoryUsage.rss() / 2 ** 20;
  const rtf: number[] = [];
  const firstMs: number[] = [];
  const cpuMs: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    let first = 0;
    let count = 0;
    for await (const _ of speak(engine, run)) {
      if (count === 0) first = performance.now() - start;
      if (++count === frames) break;
    }
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    if (run === 0) continue;
    rtf.push(seconds / (count * 0.08));
    firstMs.push(first);
    cpuMs.push((used.user + used.system) / 1000 / count);
  }
  const isFirst = precision === cases[0].precision && threads === cases[0].threads;
  const grownMb = isFirst ? await growth(engine) : undefined;
  await engine.close();
  const result: Measured = {
    precision,
    threads,
    readyMs: ready,
    residentMb: Math.round(residentMb),
    firstMs: Math.round(median(firstMs)),
    rtf: Number(median(rtf).toFixed(3)),
    cpuMsPerFrame: Number(median(cpuMs).toFixed(1)),
    grownMb: grownMb === undefined ? undefined : Number(Math.max(0, grownMb).toFixed(1)),
  };
  process.stdout.write(JSON.stringify(result));
}

async function growth(engine: PocketEngine): Promise<number> {
  const before = settledMb();
  for (let spoken = 0; spoken < 1000; ) {
    for await (const _ of speak(engine, spoken)) if (++spoken === 1000) break;
  }
  return settledMb() - before;
}

function speak(engine: PocketEngine, seed: number): AsyncIterable<Float32Array> {
  return engine.speak({ text: benchText, seed, sampling: { eosThreshold: 1e9 } });
}

/** Resident memory after a collection of the main thread's garbage, MiB. */
function settledMb(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

function numberOption(name: string, fallback: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}
