import { type Command, InvalidArgumentError, Option } from "commander";
import { compare } from "../opus/compare.ts";
import { decode } from "../opus/decode.ts";
import { info } from "../opus/info.ts";

/** `longwave opus`: the codec on files. */
export function registerOpus(program: Command): void {
  const opus = program.command("opus").description("decode, inspect and compare Opus files");

  opus
    .command("decode")
    .description("decode an Ogg or WebM Opus or .bit file to WAV or raw samples")
    .argument("<input>", "file, or - for standard input")
    .argument("[output]", "file, or - for standard output; default: the input's name with .wav")
    .option(
      "--rate <hz>",
      "rate of the output; others than 8000, 12000, 16000, 24000 and 48000 are resampled",
      anyRate,
      48000,
    )
    .option("--force-stereo", "two channels, whatever the file has")
    .addOption(new Option("--int16", "16-bit samples (default)").conflicts(["int24", "float"]))
    .addOption(new Option("--int24", "24-bit samples").conflicts(["int16", "float"]))
    .addOption(new Option("--float", "32-bit float samples").conflicts(["int16", "int24"]))
    .addOption(
      new Option(
        "--raw",
        "samples without a WAV header, little-endian; so are outputs named .raw, .pcm and .sw",
      ).conflicts("forceWav"),
    )
    .option("--force-wav", "a WAV header whatever the output's name is")
    .option("--gain <db>", "gain on top of the file's own", decibels, 0)
    .option("--dither", "triangular dither before rounding to 16 bit, with a fixed seed")
    .option("--no-dither", "no dither (default)")
    .option("--packet-loss <percent>", "drop packets at random, with a fixed seed", percent, 0)
    .option("--loss-trace <file>", "drop packets by a text of 0 and 1, repeated")
    .option("--fec", "recover dropped packets from the redundancy of the next one")
    .option("--from <time>", "first moment of the output, such as 90s or 1:30")
    .option("--to <time>", "end of the output")
    .option("--save-range <file>", "write size, final range and duration of every packet")
    .option("--quiet", "no report")
    .option("--json", "one JSON object")
    .action(decode);

  opus
    .command("info")
    .description("show streams, headers, tags, lengths and what the packets of a file are")
    .argument("<input>", "Ogg or WebM Opus file, or - for standard input")
    .option(
      "--packets",
      "one JSON line a packet: first byte, mode, frames, redundancy, voice activity, granule",
    )
    .option("--trace", "the same with every decoded parameter")
    .option("--json", "one JSON object")
    .action(info);

  opus
    .command("compare")
    .description("the quality metric of the standard between two decodes, or files packet by packet")
    .argument("<reference>", "stereo decode at 48 kHz: WAV, another sound file, raw samples")
    .argument("<tested>", "the decode that is judged; exit code 3 where it does not pass")
    .addOption(
      new Option("--rate <hz>", "rate of the tested decode")
        .choices(["8000", "12000", "16000", "24000", "48000"])
        .default(48000)
        .argParser(rate),
    )
    .option("--mono", "the tested decode is mono")
    .option("--raw", "both files are 16-bit little-endian samples without a header")
    .option("--packets", "compare Opus files packet by packet instead: share of equal ones, first difference")
    .option("--json", "one JSON object")
    .action(compare);
}

function rate(text: string): number {
  const value = Number(text);
  if ([8000, 12000, 16000, 24000, 48000].includes(value)) return value;
  throw new InvalidArgumentError("Opus decodes to 8000, 12000, 16000, 24000 or 48000 Hz.");
}

function anyRate(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1000 && value <= 384_000) return value;
  throw new InvalidArgumentError("Give a whole number of Hz from 1000 to 384000.");
}

function decibels(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Math.abs(value) <= 127) return value;
  throw new InvalidArgumentError("Give decibels from -127 to 127.");
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError("Give a percentage from 0 to 100.");
}
