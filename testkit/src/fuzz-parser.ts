import { isLongwaveError, SeededRandom } from "@longwave/base";
import { mutateBytes } from "./byte-mutator.ts";

/** A parser under test. */
export interface FuzzTarget {
  readonly seeds: readonly Uint8Array[];
  /** Parses one input; it may throw `LongwaveError` only, and returns how many bytes of memory it holds as a result. */
  parse(bytes: Uint8Array, round: number): number;
  /** The most that `parse` may hold per input; default 64 MiB. */
  readonly maxHeldBytes?: number;
}

/** What came out of a run. */
export interface FuzzReport {
  readonly inputs: number;
  readonly accepted: number;
  /** Refusals by error code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly peakRssMb: number;
}

/** An input that takes longer than this is called a hang. */
const hangMs = 2000;

/**
 * Parses mutated seeds until `inputs` are done or `untilMs` (by `performance.now()`) is reached. Throws on the first input
 * that escapes with a foreign error, hangs or holds too much, naming seed and round so that it can be repeated.
 */
export function fuzzParser(
  target: FuzzTarget,
  options: { readonly seed: number; readonly inputs?: number; readonly untilMs?: number },
): FuzzReport {
  const inputs = options.inputs ?? Number.POSITIVE_INFINITY;
  const untilMs = options.untilMs ?? Number.POSITIVE_INFINITY;
  const refused: Record<string, number> = {};
  let [accepted, round, slowestMs, peakRss] = [0, 0, 0, 0];
  for (; round < inputs && performance.now() < untilMs; round++) {
    const random = new SeededRandom(options.seed, round);
    const bytes = mutateBytes(target.seeds[round % target.seeds.length]!, random, target.seeds);
    const started = performance.now();
    let held = 0;
    try {
      held = target.parse(bytes, round);
      accepted++;
    } catch (error) {
      if (!isLongwaveError(error)) throw escaped(`threw ${String(error)}`, options.seed, round, error);
      refused[error.code] = (refused[error.code] ?? 0) + 1;
    }
    const ms = performance.now() - started;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > hangMs) throw escaped(`took ${Math.round(ms)} ms`, options.seed, round);
    if (held > (target.maxHeldBytes ?? 1 << 26)) throw escaped(`holds ${held} bytes`, options.seed, round);
    if (round % 4096 === 0) peakRss = Math.max(peakRss, process.memoryUsage.rss());
  }
  return { inputs: round, accepted, refused, slowestMs, peakRssMb: Math.round(peakRss / 2 ** 20) };
}

function escaped(what: string, seed: number, round: number, cause?: unknown): Error {
  return new Error(`The parser ${what} on input ${round} of seed ${seed}.`, { cause });
}
