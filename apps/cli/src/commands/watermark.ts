import { type Command, InvalidArgumentError, Option } from "commander";
import { detect } from "../watermark/detect.ts";
import { embed } from "../watermark/embed.ts";

/** `longwave watermark`: put a keyed mark into a sound and read it back. */
export function registerWatermark(program: Command): void {
  const watermark = program
    .command("watermark")
    .description("put an inaudible, keyed mark into a sound and read it back");
  withKey(watermark.command("embed").description("write a copy of a sound that carries a payload"))
    .argument("<input>", "audio file, or - for standard input")
    .argument("<output>", "WAV file, or - for standard output")
    .requiredOption("--payload <hex>", "8 or 16 hexadecimal digits")
    .option("--signal-to-mark <db>", "loudness of the sound beside the mark, 24 to 60 dB", decibels, 30.3)
    .option("--force", "mark a sound that carries a mark of this key already; the old mark is erased")
    .option("--float", "32-bit float samples instead of 16-bit")
    .option("--json", "one JSON object")
    .action(embed);
  withKey(
    watermark.command("detect").description("print the payloads of a key in a sound, and where they are"),
  )
    .argument("<input>", "audio file, or - for standard input")
    .addOption(
      new Option("--payload-bytes <n>", "bytes of the payload")
        .choices(["4", "8"])
        .default(4)
        .argParser(Number),
    )
    .option(
      "--model <file>",
      "ask an ONNX model in the shape of AudioSeal instead (needs onnxruntime-node or -web)",
    )
    .option("--model-sha256 <hex>", "refuse a model file with another SHA-256")
    .addOption(
      new Option("--scores <form>", "what the model's scores are")
        .choices(["flat", "class1of2"])
        .default("flat"),
    )
    .addOption(
      new Option("--message <form>", "what the model's message is")
        .choices(["logits", "probabilities"])
        .default("logits"),
    )
    .option("--require", "exit with 6 where there is no mark")
    .option("--json", "one JSON object")
    .action(detect);
  watermark.addHelpText(
    "after",
    `
Examples:
  longwave watermark embed song.wav marked.wav --key "our secret" --payload 0000002a
  longwave watermark detect recording.mp3 --key-file key.txt --json`,
  );
}

function withKey(command: Command): Command {
  return command
    .option("--key <text>", "the secret (or LONGWAVE_WATERMARK_KEY)")
    .option("--key-file <file>", "file that holds the secret");
}

function decibels(text: string): number {
  const value = Number(text);
  if (value >= 24 && value <= 60) return value;
  throw new InvalidArgumentError("Give 24 to 60 dB.");
}
