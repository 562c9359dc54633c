import { engineNames } from "@longwave/tts/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import { bench } from "../speech/bench.ts";

/** `longwave tts bench`: how fast an engine speaks on this machine. */
export function registerTts(program: Command): void {
  program
    .command("tts")
    .description("measure speech engines")
    .command("bench")
    .description("speak a text several times; the first run is cold (exit code 1 above --rtf-threshold)")
    .option(
      "--text <text>",
      "what to say",
      "The quick brown fox jumps over the lazy dog near the river bank.",
    )
    .option("--voice <id>", "voice of the engine")
    .addOption(new Option("--engine <name>", "engine that must speak").choices(engineNames))
    .option("--model <directory>", "a model's folder, for the native engine")
    .addOption(
      new Option("--precision <name>", "weights of the native engine").choices([
        "auto",
        "f32",
        "bf16",
        "int8",
      ]),
    )
    .option("--threads <n>", "threads of the native engine, 1 or 2", threads)
    .option("--runs <n>", "runs, the cold one included", runs, 5)
    .addOption(
      new Option("--format <name>", "form of the report").choices(["table", "json"]).default("table"),
    )
    .option("--rtf-threshold <x>", "fail if the mean real-time factor of the warm runs is above", positive)
    .action(bench);
}

function runs(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 2 && value <= 1000) return value;
  throw new InvalidArgumentError("Give a whole number from 2 to 1000.");
}

function threads(text: string): number {
  if (text === "1" || text === "2") return Number(text);
  throw new InvalidArgumentError("Give 1 or 2.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("Give a number above 0.");
}
