import { profileIds } from "@longwave/fingerprint";
import { type Command, InvalidArgumentError, Option } from "commander";
import { enroll } from "../id/enroll.ts";
import { inspect } from "../id/inspect.ts";
import { match } from "../id/match.ts";
import { remove } from "../id/remove.ts";

/** `longwave id`: recognise recordings. */
export function registerId(program: Command): void {
  const id = program.command("id").description("recognise recordings by their fingerprints");
  const profile = () => new Option("--profile <name>", "fingerprint profile").choices(profileIds);

  id.command("enroll")
    .description("add files or directories to a catalog, creating it where there is none")
    .argument("<path...>", "audio files or directories")
    .requiredOption("--catalog <directory>", "the catalog")
    .addOption(profile())
    .option("--replace", "replace tracks that have other sound under the same id")
    .option("--skip-errors", "report files that cannot be read and go on")
    .option("--json", "one JSON object a file, then a summary")
    .action(enroll);

  id.command("match")
    .description("find the recording that a file (or - for standard input) is a piece of")
    .argument("<input>", "audio file or -")
    .requiredOption("--catalog <directory>", "the catalog")
    .option("--max-false <p>", "largest accepted probability of a false match", probability, 1e-3)
    .option("--limit <n>", "most candidates shown", count, 5)
    .option("--require", "exit with code 5 where nothing matches")
    .option("--explain", "with --json: the pairs of frames whose hashes agree")
    .option("--json", "one JSON object")
    .action(match);

  id.command("remove")
    .description("remove tracks from a catalog")
    .argument("<id...>", "track ids")
    .requiredOption("--catalog <directory>", "the catalog")
    .option("--json", "one JSON object")
    .action(remove);

  id.command("inspect")
    .description("show a catalog, a stored fingerprint, or the fingerprint of a recording")
    .argument("<file>", "catalog directory, fingerprint, audio file or -")
    .addOption(profile().default("wang-v1"))
    .option("--json", "one JSON object")
    .action(inspect);
}

function probability(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("Give a number above 0 and at most 1.");
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new InvalidArgumentError("Give a whole number from 1 to 1000.");
}
