import { exactLog2 } from "@longwave/fingerprint";

/** Evidence of the best wrong alignment of a query of some length: where it lies, and how fast its tail falls, nats. */
interface ChanceLevel {
  readonly seconds: number;
  /** Extrapolated evidence that every query reaches. */
  readonly level: number;
  /** So many nats more divide the probability by e. */
  readonly scale: number;
}

/**
 * Fitted on 519 excerpts of seeds 2 and 3 of the robustness corpus against the catalog of seed 1 (31 recordings, 0.58 h), the growth
 * with the catalog on 90 of them against 5.6 h. A short query finds some place that suits it everywhere; the longer it is, the
 * more of it has to suit.
 */
const chanceLevels: readonly ChanceLevel[] = [
  { seconds: 1, level: 1.3, scale: 1.5 },
  { seconds: 3, level: -2.7, scale: 2.6 },
  { seconds: 5, level: -6.3, scale: 2.65 },
  { seconds: 10, level: -7.8, scale: 2.8 },
  { seconds: 30, level: -10.9, scale: 2.8 },
];

/** Frames of the catalog that the levels were fitted on, and nats that each factor of e more raises them. */
const fittedFrames = 65_000;
const perCatalogFold = 0.8;

/** Scale of the scores, nats; the tail of 5 s. */
export const scoreScale = 2.65;

/**
 * What an alignment's evidence is worth: nats above the level that chance reaches for a query of this length in a catalog of this
 * size, on one scale for all lengths. 0 is what any query reaches.
 * @param seconds length of the query
 * @param catalogFrames frames of all recordings that are searched
 */
export function evidenceAboveChance(evidence: number, seconds: number, catalogFrames: number): number {
  const { level, scale } = chanceLevelAt(seconds);
  const folds = Math.LN2 * exactLog2(Math.max(1, catalogFrames / fittedFrames));
  return ((evidence - level - perCatalogFold * folds) * scoreScale) / scale;
}

/** Between two lengths of the table, by the logarithm of the length; beyond its ends, the ends. */
function chanceLevelAt(seconds: number): ChanceLevel {
  const [shortest, longest] = [chanceLevels[0]!, chanceLevels.at(-1)!];
  if (seconds <= shortest.seconds) return shortest;
  if (seconds >= longest.seconds) return longest;
  const above = chanceLevels.findIndex((each) => each.seconds > seconds);
  const [low, high] = [chanceLevels[above - 1]!, chanceLevels[above]!];
  const share = exactLog2(seconds / low.seconds) / exactLog2(high.seconds / low.seconds);
  return {
    seconds,
    level: low.level + share * (high.level - low.level),
    scale: low.scale + share * (high.scale - low.scale),
  };
}
