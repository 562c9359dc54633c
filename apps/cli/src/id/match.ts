import type { ChannelLayout } from "@longwave/fingerprint";
import { matchLine } from "./format.ts";
import { openCatalog } from "./open-catalog.ts";
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

/** Exit code of a search that found nothing although `--require` was given. */
const noMatchExitCode = 5;

/** `longwave id match INPUT`: what the recording is, or why there is no answer. */
export async function match(input: string, options: MatchOptions): Promise<void> {
  await using catalog = await openCatalog(options.catalog, { readOnly: true });
  const { maxFalse, limit, layout = "mix", explain = false } = options;
  const answer = await catalog.identify(await readSound(input), { maxFalse, limit, layout, explain });
  if (options.json === true) {
    const plain = (_: string, value: unknown) => (value instanceof Int32Array ? [...value] : value);
    console.log(JSON.stringify({ input, ...answer, match: answer.match ?? null }, plain));
  } else if (answer.lanes !== undefined) {
    for (const { name, match, reason } of answer.lanes) {
      console.log(`${name}: ${match === undefined ? `no match: ${reason}` : matchLine(match)}`);
    }
  } else if (answer.match !== undefined) {
    console.log(matchLine(answer.match));
    for (const other of answer.candidates.slice(1)) console.log(`  or ${matchLine(other)}`);
  } else {
    console.log(`No match: ${answer.reason} (${answer.queryHashes} hashes in ${answer.queryMs / 1000} s).`);
  }
  if (answer.match === undefined && options.require === true) process.exitCode = noMatchExitCode;
}
