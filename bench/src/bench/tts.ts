// npm run bench -- tts [--json] [--frames 138]: the synthesiser with random weights of the real size (109.5 M parameters): load, memory,
// first audio, real-time factor, for each precision and number of threads. Wall time, as a listener has it; the first run is cold.
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { writeRandomSpeechModel } from "@longwave/testkit";
import { publishedConfigText, publishedModels } from "@longwave/tts";
import { PocketEngine } from "@longwave/tts/node";

const frames = numberOption("--frames", 138);
const runs = numberOption("--runs", 5);
const folder = join(tmpdir(), "longwave-tts-bench-1");
if (!existsSync(join(folder, "voices/manifest.json"))) {
  mkdirSync(folder, { recursive: true });
  const text = publishedConfigText(publishedModels[0]!)
    .replace(/weights_path: .*/, "weights_path: model.safetensors")
    .replace(/weights_path_without_voice_cloning: .*/, "weights_path_without_voice_cloning: null")
    .replace(/tokenizer_path: .*/, "tokenizer_path: tokenizer.model");
  writeRandomSpeechModel(folder, text, { voiceRows: 125 });
}

const benchText = "eta oin shr dlc umw fgy pbv kjx qze tao";
const results = [];
for (const [precision, threads] of [
  ["int8", 2],
  ["int8", 1],
  ["bf16", 2],
  ["f32", 2],
] as const) {
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const engine = await PocketEngine.open({
    configPath: join(folder, "config.yaml"),
    voicesPath: join(folder, "voices/manifest.json"),
    precision,
    threads,
  });
  const loadMs = performance.now() - started;
  const residentMb = process.memoryUsage.rss() / 2 ** 20;
  const rtf: number[] = [];
  const firstMs: number[] = [];
  const cpuMs: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    let first = 0;
    let count = 0;
    // 27 tokens of this text's tokenizer; the end never comes, so that every run has the same length.
    for await (const _ of engine.speak({ text: benchText, seed: run, sampling: { eosThreshold: 1e9 } })) {
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
  await engine.close();
  results.push({
    precision,
    threads,
    loadMs: Math.round(loadMs),
    residentMb: Math.round(residentMb),
    grownMb: Math.round(residentMb - before / 2 ** 20),
    firstMs: Math.round(median(firstMs)),
    rtf: Number(median(rtf).toFixed(3)),
    cpuMsPerFrame: Number(median(cpuMs).toFixed(1)),
  });
}

if (process.argv.includes("--json")) console.log(JSON.stringify({ frames, runs, results }));
else {
  console.log("| precision | threads | ready ms | resident MB | first audio ms | RTF | CPU ms a frame |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const r of results) {
    console.log(
      `| ${r.precision} | ${r.threads} | ${r.loadMs} | ${r.residentMb} | ${r.firstMs} | ${r.rtf} | ${r.cpuMsPerFrame} |`,
    );
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

function numberOption(name: string, fallback: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}
