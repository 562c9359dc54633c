import { openTts } from "@longwave/tts/node";
import { aggregate, type BenchRun } from "./bench-report.ts";
import { openOptions, resolveSpeechSettings } from "./speech-settings.ts";

interface BenchOptions {
  readonly text: string;
  readonly voice?: string;
  readonly engine?: string;
  readonly model?: string;
  readonly precision?: "auto" | "f32" | "bf16" | "int8";
  readonly threads?: 1 | 2;
  readonly runs: number;
  readonly format: "table" | "json";
  readonly rtfThreshold?: number;
}

/** `longwave tts bench`. */
export async function bench(options: BenchOptions): Promise<void> {
  await using tts = await openTts(openOptions(resolveSpeechSettings({ ...options })));
  const runs: BenchRun[] = [];
  let engine = "";
  for (let run = 0; run < options.runs; run++) {
    const cpu = process.cpuUsage();
    const started = performance.now();
    let firstMs: number | undefined;
    let frames = 0;
    const speech = tts.speak(options.text, { voice: options.voice, seed: run });
    engine = speech.engine;
    for await (const block of speech) {
      firstMs ??= performance.now() - started;
      frames += block.length;
    }
    const synthesisMs = performance.now() - started;
    const used = process.cpuUsage(cpu);
    runs.push({
      kind: run === 0 ? "cold" : "warm",
      synthesisMs,
      audioMs: (frames / speech.sampleRate) * 1000,
      firstMs: firstMs ?? synthesisMs,
      cpuMs: (used.user + used.system) / 1000,
    });
  }
  const report = { engine, ...aggregate(runs) };
  if (options.format === "json") console.log(JSON.stringify(report));
  else {
    console.log(
      `engine ${engine}\n| run | synthesis ms | audio ms | RTF | first audio ms | CPU ms |\n| --- | --- | --- | --- | --- | --- |`,
    );
    for (const run of report.runs) {
      const figures = [run.synthesisMs, run.audioMs, run.rtf, run.firstMs, run.cpuMs];
      console.log(`| ${run.kind} | ${figures.map((x, i) => x.toFixed(i === 2 ? 3 : 0)).join(" | ")} |`);
    }
    const { min, max, mean } = report.rtf;
    console.log(
      `RTF of the warm runs: min ${min.toFixed(3)}, max ${max.toFixed(3)}, mean ${mean.toFixed(3)}`,
    );
  }
  if (options.rtfThreshold !== undefined && report.rtf.mean > options.rtfThreshold) {
    process.stderr.write(
      `longwave: the mean real-time factor ${report.rtf.mean.toFixed(3)} is above ${options.rtfThreshold}\n`,
    );
    process.exitCode = 1;
  }
}
