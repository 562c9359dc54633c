import { exactExp, type ProfileId } from "@longwave/fingerprint";

/**
 * How often queries that are not in the catalog reach a score: `share` of them exceed `threshold`, and each further
 * `scale` divides their number by e (the exponential tail of the peaks-over-threshold method).
 */
export interface Calibration {
  readonly threshold: number;
  readonly share: number;
  readonly scale: number;
}

/**
 * Contrasts of the profiles without verification, fitted on 150 excerpts of 3, 5 and 10 s of recordings that are not enrolled
 * against 30 tracks. That is little; a catalog of one's own deserves a fit of its own.
 */
const contrastCalibration: Calibration = { threshold: 30, share: 0.2, scale: 23.75 };

/** Scores of `mark-v1`: the tuning corpus of `npm run bench -- robustness --seed 1`, 400 negatives against 30 tracks. */
const verifiedCalibration: Calibration = { threshold: 0, share: 0.19, scale: 2.65 };

/** What is assumed where a catalog has no calibration of its own. */
export function defaultCalibrationOf(profile: ProfileId): Calibration {
  return profile === "mark-v1" ? verifiedCalibration : contrastCalibration;
}

/** Share of the scores that counts as the tail. */
const tailShare = 0.2;

/**
 * Fits the tail of `scores`, the best scores of queries whose recordings are not in the catalog.
 * @throws RangeError for fewer than 50 scores: the tail of fewer says nothing
 */
export function fitCalibration(scores: readonly number[]): Calibration {
  if (scores.length < 50)
    throw new RangeError(`A calibration needs at least 50 negatives, not ${scores.length}.`);
  const sorted = [...scores].sort((a, b) => b - a);
  const count = Math.floor(tailShare * sorted.length);
  const threshold = sorted[count]!;
  let excess = 0;
  for (let i = 0; i < count; i++) excess += sorted[i]! - threshold;
  return { threshold, share: count / sorted.length, scale: Math.max(0.5, excess / count) };
}

/** Probability that a query whose recording is not in the catalog reaches `score` or more. */
export function falseProbability(score: number, { threshold, share, scale }: Calibration): number {
  if (score <= threshold) return 1;
  return share * exactExp(Math.max(-600, (threshold - score) / scale));
}
