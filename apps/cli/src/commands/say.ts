import { engineNames } from "@longwave/tts/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import { say } from "../speech/say.ts";

/** `longwave say`: speak text into a file, a pipe or standard output. */
export function registerSay(program: Command): void {
  program
    .command("say")
    .description("speak text; always says which engine spoke")
    .argument("[text]", "the text; - or nothing reads standard input")
    .option("--text <text>", "the text, as an option; - reads standard input")
    .option("-v, --voice <id>", "voice; see longwave voice list")
    .option("-o, --out <file>", "output file, - for standard output", "out.wav")
    .addOption(
      new Option("--format <name>", "container of the output").choices(["wav", "pcm", "opus"]).default("wav"),
    )
    .option("--stream", "write each block as soon as it is spoken")
    .option("--seed <n>", "same seed, same speech", wholeNumber, 0)
    .addOption(new Option("--engine <name>", "engine that must speak").choices(engineNames))
    .option("--model <directory>", "a model's folder, for the native engine (or LONGWAVE_TTS_MODEL)")
    .option("--voices <file>", "manifest of the voices; default the model's own")
    .option(
      "--config <file>",
      "configuration file: TOML, YAML or JSON (default longwave.toml, if there is one), table [tts]",
    )
    .addOption(
      new Option("--precision <name>", "weights of the native engine").choices([
        "auto",
        "f32",
        "bf16",
        "int8",
      ]),
    )
    .addOption(
      new Option("--threads <n>", "threads of the native engine").choices(["1", "2"]).argParser(Number),
    )
    .option("--lsd-decode-steps <n>", "steps of the flow decoder, 1 to 64", wholeNumber)
    .option("--temperature <x>", "variance of the noise, 0 to 10", anyNumber)
    .option("--noise-clamp <x>", "truncate the noise to this magnitude", anyNumber)
    .option("--eos-threshold <x>", "logit above which speech has ended", anyNumber)
    .option("--frames-after-eos <n>", "frames of 80 ms after the end", wholeNumber)
    .option("--max-tokens <n>", "most tokens spoken in one go", wholeNumber)
    .option(
      "--legacy-pad",
      "8 spaces before texts of fewer than five words, as early releases of the model had them",
    )
    .option("--chunk", "give the engine one sentence at a time")
    .option("--pauses", 'obey [pause:500ms] and <break time="500ms"/> in the text')
    .option("--join-short", "join sentences of one or two words to a neighbour")
    .option("--max-chunk-chars <n>", "with --chunk: pack sentences up to this length", wholeNumber)
    .option("--dc-block", "remove the constant part")
    .option("--normalize", "scale to full level")
    .option("--fade-in-ms <ms>", "linear fade at the start", milliseconds)
    .option("--fade-out-ms <ms>", "linear fade at the end", milliseconds)
    .option(
      "--tts-arg <key=value>",
      "passed to an external program as --key value",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--executable <path>", "path of the external program")
    .option("--ort-lib <directory>", "an installed ONNX Runtime, for the engine onnx")
    .option("--command <line>", "a program that reads text on stdin and writes a WAV; {voice} is replaced")
    .option("--command-rate <hz>", "rate of that WAV; default 24000")
    .option("-q, --quiet", "no message on standard error")
    .option("--json", "one JSON object about the speech")
    .action(say);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("Give a whole number from 0.");
}

function anyNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && !Number.isNaN(value)) return value;
  throw new InvalidArgumentError("Give a number.");
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("Give milliseconds of 0 or more.");
}
