import { printLine } from "../output.ts";
import { lengthText, startSourceText } from "./format.ts";
import { type Input, type InputOptions, openInput } from "./open-input.ts";

export type AnalyzeOptions = InputOptions & { readonly json?: boolean };

/** `longwave archive analyze FILE...`: what an import would do and what would be lost; nothing is written. */
export async function analyze(files: readonly string[], options: AnalyzeOptions): Promise<void> {
  for (const file of files) await show(file, options);
}

async function show(file: string, options: AnalyzeOptions): Promise<void> {
  const { plan, source, metadata, anchors, start } = await openInput(file, options);
  if (options.json === true) {
    printLine(JSON.stringify({ file, source, plan: plan ?? { mode: "copy" }, metadata, anchors, start }));
    return;
  }
  if (plan === undefined) {
    printLine(`${file}: ${source.container}, copied packet by packet`);
    printStart(anchors, start);
    return;
  }
  const { expansion, mode, sampleRateHz, channels, bitrateBps, seconds, bytes, warnings } = plan;
  const length = seconds === undefined ? "unknown length" : lengthText(Math.round(seconds * 48_000));
  const size = bytes === undefined ? "" : `, about ${(bytes / 1e6).toFixed(1)} MB`;
  printLine(
    `${file}: ${plan.container}, ${sampleRateHz} Hz, ${channels} channels, ${length}: ${mode}` +
      `${mode === "expand" ? ` ${expansion.numerator}/${expansion.denominator}` : ""}, Opus at ${bitrateBps / 1000} kbit/s${size}`,
  );
  for (const warning of warnings) printLine(`  ${warning}`);
  printStart(anchors, start);
}

function printStart(anchors: Input["anchors"], start: Input["start"]): void {
  const first = anchors?.[0];
  if (first === undefined || start === undefined) {
    printLine("  Begins at an unknown time; --start-time of import tells it.");
    return;
  }
  const time = new Date(Number(BigInt(first.unixNs) / 1_000_000n)).toISOString();
  printLine(`  Begins ${time} (${startSourceText(start)}).`);
}
