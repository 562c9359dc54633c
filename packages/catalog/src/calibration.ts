import { exactExp, type ProfileId } from "@longwave/fingerprint";
import { scoreScale } from "./chance-evidence.ts";

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

/** Scores of `mark-v1` are nats above the level of chance; see {@link evidenceAboveChance}. */
const verifiedCalibration: Calibration = { threshold: 0, share: 1, scale: scoreScale };

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

/** Of how many scores a chance was predicted, and how many there were. */
export interface CalibrationRow {
  /** A query that is not in the catalog reaches the score with this probability, says the fit. */
  readonly predicted: number;
  readonly score: number;
  /** Share of the scores that the fit has not seen that reach it. */
  readonly observed: number;
}

/** A fit, and how such a fit fares on scores that it has not seen; without rows for fewer than 100 scores. */
export interface CheckedCalibration extends Calibration {
  readonly check: readonly CalibrationRow[];
}

/** Chances at which a fit is looked at; smaller ones need more negatives than there are. */
const lookedAt = [0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/**
 * Fits on every other score and compares with the rest: what `fitCalibration` would have promised about sound that it has not seen. Chances
 * of which fewer than two are expected among the rest are left out; fewer than 100 scores say nothing.
 */
export function checkCalibration(scores: readonly number[]): CalibrationRow[] {
  if (scores.length < 100) return [];
  const fit = fitCalibration(scores.filter((_, i) => i % 2 === 0));
  const rest = scores.filter((_, i) => i % 2 === 1);
  return lookedAt
    .filter((chance) => chance <= fit.share && chance * rest.length >= 2)
    .map((predicted) => {
      const score = scoreOfProbability(predicted, fit);
      return { predicted, score, observed: rest.filter((each) => each >= score).length / rest.length };
    });
}

/** The score that is reached with a probability below `share`; the inverse of `falseProbability`, by halving. */
function scoreOfProbability(probability: number, calibration: Calibration): number {
  let [low, high] = [calibration.threshold, calibration.threshold + 700 * calibration.scale];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (falseProbability(middle, calibration) > probability) low = middle;
    else high = middle;
  }
  return high;
}
