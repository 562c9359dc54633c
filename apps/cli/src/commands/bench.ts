import { Argument, type Command, InvalidArgumentError } from "commander";
import { type MeasureGroup, measureGroups } from "../bench/measure-groups.ts";

/** `longwave bench`: what this machine can do. */
export function registerBench(program: Command): void {
  program
    .command("bench")
    .description("Measure codec, fingerprints, watermark, speech and a whole station on this machine")
    .addArgument(new Argument("[group...]", "what is measured, default everything").choices(measureGroups))
    .option("--seconds <n>", "seconds of sound a run", between(5, 3600), 20)
    .option("--runs <n>", "runs of each, after one that does not count", between(1, 100), 5)
    .option("--json", "print one JSON object")
    .action(async (chosen: MeasureGroup[], options: { seconds: number; runs: number; json?: boolean }) => {
      await (await import("../bench/bench.ts")).bench(chosen, options);
    });
}

function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
  };
}
