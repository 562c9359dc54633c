import { availableParallelism } from "node:os";
import { profileIds, soundClasses } from "@longwave/fingerprint";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { BenchOptions } from "../id/bench.ts";
import { calibrate } from "../id/calibrate.ts";
import { type EnrollOptions, enroll } from "../id/enroll.ts";
import { alignFiles, dedup, monitor } from "../id/follow.ts";
import { inspect } from "../id/inspect.ts";
import { listen } from "../id/listen.ts";
import { compact, verify } from "../id/maintain.ts";
import { match } from "../id/match.ts";
import { isNats } from "../id/nats-place.ts";
import { remove } from "../id/remove.ts";
import type { ServeMatcherOptions, ShardNumber } from "../id/serve-matcher.ts";
import type { WorkOptions } from "../id/work.ts";

const writable = "the catalog: a directory or postgres://user@host/database";
const searchable =
  "the catalog: a directory, the http(s) address of one, postgres://user@host/database, or nats://host for the matchers of one";

/** `longwave id`: recognise recordings. */
export function registerId(program: Command): void {
  const id = program.command("id").description("recognise recordings by their fingerprints");
  const profile = () => new Option("--profile <name>", "fingerprint profile").choices(profileIds);

  id.command("enroll")
    .description("add files or directories to a catalog, creating it where there is none")
    .argument("<path...>", "audio files or directories, or - for standard input (with --id)")
    .option(
      "--id <id>",
      "id of the recording, where one is given; otherwise its name, or its path inside the directory",
    )
    .requiredOption("--catalog <place>", `${writable}, or nats://host: the files become jobs for id worker`)
    .addOption(profile())
    .option("--replace", "replace tracks that have other sound under the same id")
    .option("--resume", "skip files whose ids are enrolled, without reading them")
    .option(
      "--jobs <n>",
      "files that are read and analysed at once",
      count,
      Math.min(8, availableParallelism()),
    )
    .option("--meta <file>", "JSON file with title, artist and anything else of each id")
    .option("--skip-errors", "report files that cannot be read and go on; exit code 1 where there were any")
    .option("--no-wait", "over NATS: end once the jobs are queued")
    .option("--json", "one JSON object a file, then a summary")
    .action(async (paths: string[], options: EnrollOptions) =>
      isNats(options.catalog)
        ? (await import("../id/enroll-jobs.ts")).enrollByJobs(paths, options)
        : enroll(paths, options),
    );

  id.command("match")
    .description("find the recording that a file (or - for standard input) is a piece of")
    .argument("<input>", "audio file, a directory (each file in it), or - for standard input")
    .requiredOption("--catalog <place>", searchable)
    .option("--max-false <p>", "largest accepted probability of a false match", probability, 1e-3)
    .option("--limit <n>", "most candidates shown", count, 5)
    .addOption(
      new Option("--layout <name>", "what is looked up of several channels")
        .choices(["mix", "each", "mid-side"])
        .default("mix"),
    )
    .option("--require", "exit with code 6 where nothing matches")
    .option("--explain", "with --json: the pairs of frames whose hashes agree")
    .option("--json", "one JSON object")
    .action(match);

  id.command("listen")
    .description(
      "tell what is playing: microphone, standard input (-), a file or an address, until it ends or Ctrl-C",
    )
    .argument(
      "[input]",
      "- for standard input (WAV, raw 16-bit PCM, or what ffmpeg knows), a file or an address; none for the microphone",
    )
    .requiredOption("--catalog <place>", searchable)
    .option("--step <seconds>", "time between two looks", seconds, 1)
    .option("--window <seconds>", "newest sound that a look covers", seconds, 8)
    .option("--max-false <p>", "largest accepted probability of a false match", probability, 1e-5)
    .option("--rate <hz>", "sample rate of raw PCM on standard input", rate, 48_000)
    .option("--channels <n>", "channels of raw PCM on standard input, 1 to 8", channels, 1)
    .option("--device <name>", "recording device, as the recording program calls it")
    .option("--json", "one JSON object an event")
    .action(listen);

  id.command("monitor")
    .description("tell which tracks a long recording enters and leaves")
    .argument(
      "<input>",
      "audio file, an address, or - for standard input (WAV, raw 16-bit PCM, or what ffmpeg knows)",
    )
    .requiredOption("--catalog <place>", searchable)
    .option("--step <seconds>", "time between two looks", seconds, 1)
    .addOption(
      new Option("--only <class...>", "look only where there is sound of these classes").choices(
        soundClasses,
      ),
    )
    .option("--rate <hz>", "sample rate of raw PCM on standard input", rate, 48_000)
    .option("--channels <n>", "channels of raw PCM on standard input, 1 to 8", channels, 1)
    .option("--csv", "comma-separated values with a header")
    .option("--json", "one JSON object an event")
    .action(monitor);

  id.command("dedup")
    .description("find tracks of the same recording in a catalog, or files of the same in directories")
    .argument("[path...]", "audio files or directories, compared with each other; none for --catalog")
    .option("--catalog <directory>", "the catalog")
    .option("--json", "one JSON object")
    .action(dedup);

  id.command("align")
    .description("tell how the second recording lies against the first")
    .argument("<first>", "audio file")
    .argument("<second>", "audio file")
    .option("--json", "one JSON object")
    .action(alignFiles);

  id.command("calibrate")
    .description("fit the probabilities of false matches with sound that is not in the catalog")
    .argument("<path...>", "audio files or directories, none of them enrolled")
    .requiredOption("--catalog <place>", writable)
    .option("--json", "one JSON object")
    .action(calibrate);

  id.command("compact")
    .description("merge journal and segments of a catalog into one segment")
    .requiredOption("--catalog <place>", writable)
    .option("--json", "one JSON object")
    .action(compact);

  id.command("verify")
    .description("check every checksum of a catalog; exit code 5 where something is damaged")
    .requiredOption("--catalog <place>", writable)
    .option("--json", "one JSON object")
    .action(verify);

  id.command("bench")
    .description("measure recall, false accepts and speed on composed songs, or on files of your own")
    .argument("[path...]", "audio files or directories; every fourth recording is not enrolled but asked for")
    .addOption(profile().default("mark-v1"))
    .option("--songs <n>", "songs composed where no path is given", count, 16)
    .option("--queries <n>", "queries of each condition, and as many that must be refused", count, 12)
    .option("--seed <n>", "seed of songs, places and noise", seedOf, 1)
    .option("--max-false <p>", "largest accepted probability of a false match", probability, 1e-3)
    .option("--json", "one JSON object")
    .option(
      "--catalog <place>",
      `ask this instead, for pieces of files that are enrolled in it; ${searchable}`,
    )
    // It composes its songs: that part of the program is loaded for nobody else.
    .action(async (paths: string[], { catalog, ...options }: BenchOptions) =>
      catalog === undefined
        ? (await import("../id/bench.ts")).bench(paths, options)
        : (await import("../id/bench-catalog.ts")).benchCatalog(paths, { ...options, catalog }),
    );

  const nats = "the NATS server, nats://[user:password@]host:4222[?subject=name]";
  const shard = new Option("--shard <i/n>", "which of how many shards, as 1/3").argParser(shardNumber);

  id.command("serve")
    .description(
      "answer questions about one shard of a catalog over NATS; several of the same shard share them",
    )
    .requiredOption("--catalog <place>", searchable)
    .requiredOption("--nats <address>", nats)
    .addOption(shard.default({ number: 1, of: 1 }, "1/1"))
    .option("--concurrency <n>", "questions answered at once", count, 2)
    .option("--max-waiting <n>", "questions that may wait; more are refused", count, 100)
    .option("--refresh <seconds>", "time between two looks at what others enrolled", seconds, 5)
    .option("--metrics <port>", "Prometheus text on http://127.0.0.1:port/metrics; 0 for any port", port)
    .option("--json", "one JSON object once it answers")
    // What speaks NATS is loaded for nobody else.
    .action(async (options: ServeMatcherOptions) =>
      (await import("../id/serve-matcher.ts")).serveShard(options),
    );

  id.command("worker")
    .description("enroll what id enroll --catalog nats://host has queued for a shard")
    .requiredOption("--catalog <place>", writable)
    .requiredOption("--nats <address>", nats)
    .addOption(shard)
    .addOption(profile())
    .option(
      "--jobs <n>",
      "files that are read and analysed at once",
      count,
      Math.min(8, availableParallelism()),
    )
    .option("--once", "end when nothing is left to do")
    .option("--json", "one JSON object a file")
    .action(async (options: WorkOptions) => (await import("../id/work.ts")).work(options));

  id.command("remove")
    .description("remove tracks from a catalog")
    .argument("<id...>", "track ids")
    .requiredOption("--catalog <place>", writable)
    .option("--json", "one JSON object")
    .action(remove);

  id.command("inspect")
    .description(
      "show a catalog, a segment of one, a stored fingerprint, the fingerprint of a recording, or the matchers of a catalog",
    )
    .argument("<file>", "catalog directory, segment, fingerprint, audio file, - or nats://host")
    .addOption(profile().default("mark-v1"))
    .option("--json", "one JSON object")
    .action(inspect);
}

function probability(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("Give a number above 0 and at most 1.");
}

function shardNumber(text: string): ShardNumber {
  const [, number, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  if (Number(number) >= 1 && Number(number) <= Number(of) && Number(of) <= 1024)
    return { number: Number(number), of: Number(of) };
  throw new InvalidArgumentError("Give the number of the shard and how many there are, as 1/3.");
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError("Give a port from 0 to 65535.");
}

function seedOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw new InvalidArgumentError("Give a whole number from 0 on.");
}

function channels(text: string): number {
  const value = count(text);
  if (value <= 8) return value;
  throw new InvalidArgumentError("Give 1 to 8 channels.");
}

function rate(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 4000 && value <= 768_000) return value;
  throw new InvalidArgumentError("Give 4000 to 768000 Hz.");
}

function seconds(text: string): number {
  const value = Number(text);
  if (value >= 0.25 && value <= 60) return value;
  throw new InvalidArgumentError("Give 0.25 to 60 seconds.");
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new InvalidArgumentError("Give a whole number from 1 to 1000.");
}
