import { BaseError } from "@longwave/base";
import { printResult, progress } from "../output.ts";
import { audibleStart, type BenchOptions, lengths, readRecordings } from "./bench.ts";
import { benchRate, conditions, randomOf } from "./bench-conditions.ts";
import { openSearchable } from "./open-catalog.ts";

interface Row {
  readonly condition: string;
  readonly queries: number;
  /** Share of the queries whose track was named. */
  readonly recall: number;
  readonly wrong: number;
  /** Answers for which not every shard, or not every block, was searched. */
  readonly partial: number;
}

/**
 * `longwave id bench PATH... --catalog PLACE`: asks a catalog, wherever it is, for pieces of files that are enrolled in it under the ids that
 * `id enroll` gives them; what is found, and how long an answer takes from here.
 */
export async function benchCatalog(
  paths: readonly string[],
  options: BenchOptions & { readonly catalog: string },
): Promise<void> {
  if (paths.length === 0) {
    throw new BaseError(
      "cli/bad-option",
      "usage",
      "Name files that are enrolled in the catalog, to ask for pieces of them.",
    );
  }
  const recordings = await readRecordings(paths);
  if (recordings.length === 0) {
    throw new BaseError("cli/too-few-recordings", "usage", "None of the files lasts 11 s or more.");
  }
  await using catalog = await openSearchable(options.catalog);
  const { queries, seed, maxFalse } = options;
  const times: number[] = [];
  const rows: Row[] = [];
  for (const [number, condition] of conditions.entries()) {
    progress(`asking: ${condition.name}`);
    let [right, wrong, partial] = [0, 0, 0];
    for (let query = 0; query < queries; query++) {
      const { id, samples } = recordings[query % recordings.length]!;
      const random = randomOf(seed, number, query);
      const length = Math.round(lengths[query % lengths.length]! * condition.speed * benchRate);
      const start = audibleStart(samples, length, (below) => random.below(below));
      const piece = condition.apply(samples.slice(start, start + length), random);
      const before = performance.now();
      const answer = await catalog.identify({ samples: piece, sampleRate: benchRate }, { maxFalse });
      times.push(performance.now() - before);
      if (answer.partial) partial++;
      const names = answer.match === undefined ? [] : [answer.match.track.id, ...answer.match.duplicates];
      if (names.includes(id)) right++;
      else if (names.length > 0) wrong++;
    }
    rows.push({ condition: condition.name, queries, recall: right / queries, wrong, partial });
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * times.length)]!;
  const { catalog: place, json } = options;
  const report = {
    profile: catalog.profile,
    place,
    maxFalse,
    answerMs: { p50: at(0.5), p95: at(0.95) },
    rows,
  };
  printResult(json === true, report, () => [
    `${catalog.profile}: pieces of ${recordings.length} files asked of ${place}, accepted at pFalse ${maxFalse}`,
    `${"condition".padEnd(22)}${"recall".padStart(7)}${"wrong".padStart(7)}${"partial".padStart(9)}`,
    ...rows.map(
      ({ condition, recall, wrong, partial }) =>
        `${condition.padEnd(22)}${`${(100 * recall).toFixed(0)} %`.padStart(7)}${String(wrong).padStart(7)}${String(partial).padStart(9)}`,
    ),
    `answer after ${at(0.5).toFixed(1)} ms (median), ${at(0.95).toFixed(1)} ms (95 %), analysis and way included`,
  ]);
}
