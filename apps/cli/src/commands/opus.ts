import { type Command, InvalidArgumentError, Option } from "commander";
import { compare } from "../opus/compare.ts";
import { decode } from "../opus/decode.ts";
import { encode } from "../opus/encode.ts";
import { info } from "../opus/info.ts";

/** `longwave opus`: the codec on files. */
export function registerOpus(program: Command): void {
  const opus = program.command("opus").description("encode, decode, inspect and compare Opus files");

  opus
    .command("encode")
    .description("encode a sound file or raw samples to Ogg Opus")
    .argument(
      "<input>",
      "WAV, FLAC, MP3, Vorbis, Opus, whatever ffmpeg reads; raw samples; - for standard input",
    )
    .argument("[output]", "file, or - for standard output; default: the input's name with .opus")
    .option(
      "--bitrate <kbps>",
      "kbit/s of all channels together; default 64 and 32 per further channel",
      bitrate,
    )
    .addOption(new Option("--vbr", "variable bit rate (default)").conflicts(["cvbr", "hardCbr"]))
    .addOption(new Option("--cvbr", "variable within one frame of the rate").conflicts(["vbr", "hardCbr"]))
    .addOption(new Option("--hard-cbr", "every packet of the same size").conflicts(["vbr", "cvbr"]))
    .option("--comp <0-10>", "complexity: 10 best, 0 fastest", wholeNumber(0, 10), 10)
    .addOption(
      new Option("--framesize <ms>", "duration of packets")
        .choices(["2.5", "5", "10", "20", "40", "60", "80", "100", "120"])
        .default(20)
        .argParser(frameSize),
    )
    .addOption(new Option("--music", "tune for music").conflicts("speech"))
    .addOption(new Option("--speech", "tune for speech").conflicts("music"))
    .addOption(
      new Option("--application <kind>", "what the stream is for")
        .choices(["voip", "audio", "lowdelay"])
        .default("audio"),
    )
    .option("--expect-loss <percent>", "expected loss of packets; turns redundancy on", percent, 0)
    .option("--fec <0-2>", "redundancy for lost packets: 2 does not force SILK", wholeNumber(0, 2))
    .option("--dtx", "packets of silence shrink to a byte or two")
    .addOption(new Option("--bandwidth <name>", "fixed bandwidth").choices(["nb", "mb", "wb", "swb", "fb"]))
    .addOption(new Option("--downmix-mono", "one channel").conflicts("downmixStereo"))
    .addOption(new Option("--downmix-stereo", "two channels").conflicts("downmixMono"))
    .option("--no-phase-inv", "no phase inversion, for mono playback of the sum")
    .option("--max-delay <ms>", "longest time that a page holds packets back", wholeNumber(0, 60_000), 1000)
    .option("--family <n>", "mapping family: 0, 1, 2, 3 or 255; default by the channels", family)
    .option("--title <text>", "tag")
    .option("--artist <text>", "tag")
    .option("--album <text>", "tag")
    .option("--tracknumber <text>", "tag")
    .option("--genre <text>", "tag")
    .option("--date <text>", "tag")
    .option("--comment <name=value>", "any tag; repeatable", collect, [])
    .option("--picture <file>", "PNG, JPEG or GIF, or TYPE||DESCRIPTION||FILE; repeatable", collect, [])
    .option("--padding <bytes>", "room for tags to come", wholeNumber(0, 1 << 20), 512)
    .option("--raw", "the input has no header")
    .option("--raw-rate <hz>", "its rate", anyRate, 48000)
    .addOption(
      new Option("--raw-bits <n>", "its bits: 8 is unsigned, the others are signed")
        .choices(["8", "16", "24", "32"])
        .default(16)
        .argParser(Number),
    )
    .option("--raw-float", "its samples are 32-bit floats")
    .option("--raw-chan <n>", "its channels", wholeNumber(1, 255), 2)
    .addOption(new Option("--raw-endianness <0|1>", "1 for big-endian").choices(["0", "1"]).default("0"))
    .option(
      "--serial <n>",
      "serial number of the Ogg stream; default: a hash of the input",
      wholeNumber(0, 2 ** 32 - 1),
    )
    .option("--save-range <file>", "write size, final range and duration of every packet")
    .addOption(
      new Option("--format <name>", "Ogg Opus, or the packets with final ranges")
        .choices(["ogg", "bit"])
        .default("ogg"),
    )
    .option("--quiet", "no report")
    .option("--json", "one JSON object")
    .action(encode);

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

function bitrate(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0.5 && value <= 191_250) return value;
  throw new InvalidArgumentError("Give kbit/s from 0.5 to 191250.");
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

function frameSize(text: string): number {
  const value = Number(text);
  if ([2.5, 5, 10, 20, 40, 60, 80, 100, 120].includes(value)) return value;
  throw new InvalidArgumentError("Packets last 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms.");
}

function family(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && [0, 1, 2, 3, 255].includes(value)) return value;
  throw new InvalidArgumentError("Mapping families are 0, 1, 2, 3 and 255.");
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
