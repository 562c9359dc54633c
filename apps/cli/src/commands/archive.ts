import { packetFramings } from "@longwave/archive";
import { type Command, Option } from "commander";
import { analyze } from "../archive/analyze.ts";
import { append } from "../archive/append.ts";
import { checkProof } from "../archive/check-proof.ts";
import { exportRecording } from "../archive/export.ts";
import { extract } from "../archive/extract.ts";
import { importFiles } from "../archive/import.ts";
import { info } from "../archive/info.ts";
import { list } from "../archive/list.ts";
import { remove } from "../archive/remove.ts";
import { repair } from "../archive/repair.ts";
import { verify } from "../archive/verify.ts";

/** `longwave archive`: hours of Opus in Zarr, any second of it exact and at once. */
export function registerArchive(program: Command): void {
  const archive = program.command("archive").description("keep Opus recordings with exact random access");
  const position = "sample number, 90s, 1:30, or ISO 8601 time";

  archive
    .command("import")
    .description("add recordings; Opus is copied, other sound encoded; every seek point is proven on the way")
    .argument("<store>", "directory of the archive, made where there is none, or s3://bucket/prefix")
    .argument(
      "<file...>",
      "Ogg or WebM Opus, WAV, FLAC, MP3 ..., or packet lists with --framing; - is standard input",
    )
    .addOption(new Option("--framing <name>", "the files are packet lists").choices(packetFramings))
    .option("--channels <n>", "channels of a packet list", "2")
    .option("--start-time <time>", "when the first sample was heard, ISO 8601")
    .option(
      "--utc-offset <offset>",
      "of recorders and file names that tell no zone, such as +02:00; default Z",
    )
    .option("--chunk <duration>", "length of a chunk; default 10s, or 30s for low bit rates")
    .option(
      "--checkpoint-every <duration>",
      "longest way to a stored decoder state where no run-up is proven; default as the bytes allow: 2s to 4s for sustained sound in SILK, else 10s or more",
    )
    .option("--keep-original", "keep the file itself as well, byte for byte")
    .option("--resume", "go on with an import that was interrupted")
    .option("--strict", "refuse a file that is cut off, instead of keeping what there is")
    .option("--plan", "show what would be done, and do nothing (the same as analyze)")
    .option("--lossy", "accept that what is not Opus yet is encoded, which loses something")
    .option("--yes", "the same as --lossy")
    .option("--bitrate <rate>", "of what is encoded, for example 96k; default 64k mono, 128k stereo")
    .addOption(
      new Option(
        "--rate <mode>",
        "other rates than 48 kHz; default resample, above 96 kHz expand time",
      ).choices(["resample", "expand"]),
    )
    .option(
      "--overlap-pre-roll",
      "store run-ups once: chunks begin inside the one before; a damaged byte may cost two of them",
    )
    .option("--v2-compat", "write metadata for readers of Zarr version 2 as well")
    .option("--json", "one JSON object a file")
    .action(importFiles);

  archive
    .command("analyze")
    .description("show what an import would do with files, and what would be lost; nothing is written")
    .argument("<file...>", "as for import")
    .addOption(new Option("--framing <name>", "the files are packet lists").choices(packetFramings))
    .option("--channels <n>", "channels of a packet list", "2")
    .option("--bitrate <rate>", "of what would be encoded, for example 96k")
    .addOption(
      new Option("--rate <mode>", "other rates than 48 kHz: as for import").choices(["resample", "expand"]),
    )
    .option("--utc-offset <offset>", "as for import")
    .option("--json", "one JSON object a file")
    .action(analyze);

  archive
    .command("append")
    .description("continue a recording with a file, as a new segment")
    .argument("<store>", "directory or s3://bucket/prefix")
    .argument("<id>", "recording")
    .argument("<file>", "as for import; - is Ogg or WebM on standard input, readable while it grows")
    .addOption(new Option("--framing <name>", "the file is a packet list").choices(packetFramings))
    .option("--channels <n>", "channels of a packet list", "2")
    .option("--lossy", "accept that what is not Opus yet is encoded")
    .option("--bitrate <rate>", "of what is encoded")
    .option("--take-over", "take the recording away from a writer that is known to be dead")
    .option("--json", "one JSON object")
    .action(append);

  archive
    .command("ls")
    .description("list the recordings")
    .argument("<store>", "directory, .zip file, http(s) or s3 address")
    .option("--at <time>", "only those that were running at this time, ISO 8601")
    .option("--json", "one JSON object a recording")
    .action(list);

  archive
    .command("info")
    .description("show what is known of a recording")
    .argument("<store>", "directory, .zip file or http(s) address")
    .argument("<id>", "recording")
    .option("--json", "one JSON object")
    .action(info);

  archive
    .command("extract")
    .description("write a range as WAV, exact to the sample")
    .argument("<store>", "directory, .zip file, http(s) or s3 address")
    .argument("[id]", "recording")
    .option("--from <position>", position, "0")
    .option("--to <position>", `${position}; default the end`)
    .option("-o, --output <file>", "WAV file, or - for standard output", "-")
    .option("--format <name>", "s16, s24 or f32", "s16")
    .option("--raw", "samples only, interleaved, little-endian, without a WAV header")
    .option("--verify", "compare the digests of what is decoded; decode again where one differs, or fail")
    .option("--requests <file>", 'many clips: JSON lines {"id", "from", "to", "file"}; -o names their folder')
    .option("--json", "report the read as one JSON object on standard error, or a line for each clip")
    .action(extract);

  archive
    .command("verify")
    .description("check recordings; exit code 5 where anything is wrong")
    .argument("<store>", "directory, .zip file or http(s) address")
    .argument("[id]", "one recording; default all")
    .addOption(
      new Option("--level <name>", "how much").choices(["structure", "hashes", "decode"]).default("hashes"),
    )
    .option("--json", "one JSON object a recording")
    .action(verify);

  archive
    .command("check-proof")
    .description("repeat a proof of integrity; exit code 5 where it does not hold")
    .argument("<store>", "directory, .zip file or http(s) address")
    .argument("<proof>", "the proof, as exported")
    .argument("[file]", "the exported file, WAV or Opus, to be compared too")
    .option("--key <file>", "public Ed25519 key (PEM) that it must be signed with")
    .option("--json", "one JSON object")
    .action(checkProof);

  archive
    .command("repair")
    .description(
      "bring an archive in order after a crash; prove recordings anew; exit code 5 where something stays lost",
    )
    .argument("<store>", "directory or s3 address")
    .argument("[id]", "look at this recording's chunks, and prove it anew if asked; default all")
    .option("--reprove", "prove every seek point anew with this program's decoder")
    .option("--compact", "drop bytes that appends left behind (the same work as --reprove)")
    .option("--quick", "do not read every chunk to tell what is damaged")
    .option("--drop-parts", "remove interrupted imports instead of keeping them for --resume")
    .option("--json", "one JSON object")
    .action(repair);

  archive
    .command("export")
    .description("write a recording: its packets byte for byte, or as WAV")
    .argument("<store>", "directory, .zip file or http(s) address")
    .argument("<id>", "recording")
    .option("-o, --output <file>", "file, or - for standard output", "-")
    .addOption(
      new Option("--format <name>", "what to write; original needs import --keep-original")
        .choices(["ogg", "webm", "packets", "wav", "original"])
        .default("ogg"),
    )
    .option("--from <position>", `only from here on, ogg or wav, exact to the sample: ${position}`)
    .option("--to <position>", "only up to here")
    .option("--json", "tell what was written as one JSON object, on standard error if the output is -")
    .action(exportRecording);

  archive
    .command("rm")
    .description("remove recordings")
    .argument("<store>", "directory")
    .argument("[id...]", "recordings")
    .option("--older-than <duration>", "instead: all that ended longer ago, for example 42d")
    .option("--yes", "do not ask")
    .option("--json", "one JSON object a recording")
    .action(remove);

  archive.addHelpText(
    "after",
    `
Exit codes: 0 done; 2 wrong use, an unknown recording, a loss that was not accepted; 3 a file or a recording's description is damaged
or of an unknown version; 4 a limit was hit; 5 verify or repair found damage, or a store, ffmpeg or the lease is not to be had; 1 anything else.
An import of several files goes on behind one that fails and exits with the first failure's code.

Examples:
  longwave archive analyze night.wav
  longwave archive import ./archive evening.opus
  longwave archive extract ./archive <id> --from 1:30 --to 1:40 -o clip.wav
  longwave archive verify ./archive --level decode`,
  );
}
