import { stat } from "node:fs/promises";
import { isLongwaveError } from "@longwave/base";
import type { Identification } from "@longwave/catalog";
import type { ChannelLayout } from "@longwave/fingerprint";
import { printLine } from "../output.ts";
import { nothingFoundExitCode } from "../require-exit.ts";
import { findAudioFiles } from "./audio-files.ts";
import { matchLine } from "./format.ts";
import { aboutFile, naming } from "./naming.ts";
import { openSearchable, type Searchable } from "./open-catalog.ts";
import { readSound } from "./read-sound.ts";

export interface MatchOptions {
  readonly catalog: string;
  readonly maxFalse: number;
  readonly limit: number;
  readonly layout?: ChannelLayout;
  readonly require?: boolean;
  readonly explain?: boolean;
  readonly json?: boolean;
}

/** `longwave id match INPUT`: what the recording is, or each file of a directory; or why there is no answer. */
export async function match(input: string, options: MatchOptions): Promise<void> {
  await using catalog = await openSearchable(options.catalog);
  const isDirectory = input !== "-" && (await stat(input).catch(() => undefined))?.isDirectory() === true;
  if (!isDirectory) {
    print(input, await ask(input, catalog, options), options);
    return;
  }
  for (const { path } of await findAudioFiles([input])) {
    try {
      const answer = await ask(path, catalog, options);
      if (options.json !== true) printLine(`${path}:`);
      print(path, answer, options);
    } catch (error) {
      // A file that is no sound says nothing about the others.
      if (!isLongwaveError(error) || error.kind === "unavailable") throw error;
      const { code, message } = error;
      if (options.json === true) printLine(JSON.stringify({ input: path, error: { code, message } }));
      else console.error(`${naming(path, error).message} (${code})`);
      if (options.require === true) process.exitCode = nothingFoundExitCode;
    }
  }
}

/** The answer, and whether only a part of the file could be read. */
interface FileAnswer extends Identification {
  readonly truncated: boolean;
}

async function ask(input: string, catalog: Searchable, options: MatchOptions): Promise<FileAnswer> {
  const { maxFalse, limit, layout = "mix", explain = false } = options;
  const sound = await readSound(input);
  const answer = await aboutFile(input, () => catalog.identify(sound, { maxFalse, limit, layout, explain }));
  return { ...answer, truncated: sound.truncated };
}

function print(input: string, answer: FileAnswer, options: MatchOptions): void {
  const missing = answer.shards?.missing ?? [];
  if (options.json === true) {
    const plain = (_: string, value: unknown) => (value instanceof Int32Array ? [...value] : value);
    printLine(JSON.stringify({ input, ...answer, match: answer.match ?? null }, plain));
  } else if (answer.lanes !== undefined) {
    for (const { name, match, reason } of answer.lanes) {
      printLine(`${name}: ${match === undefined ? `no match: ${reason}` : matchLine(match)}`);
    }
  } else if (answer.match !== undefined) {
    printLine(matchLine(answer.match));
    for (const other of answer.candidates.slice(1)) printLine(`  or ${matchLine(other)}`);
  } else {
    const where = missing.length === 0 ? "No match" : "No match in the shards that answered";
    printLine(`${where}: ${answer.reason} (${answer.queryHashes} hashes in ${answer.queryMs / 1000} s).`);
  }
  if (options.json !== true) for (const { message } of missing) console.error(`not searched: ${message}`);
  if (answer.match === undefined && options.require === true) process.exitCode = nothingFoundExitCode;
}
