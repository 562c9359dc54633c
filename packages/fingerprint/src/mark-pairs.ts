import { frequencyUnit } from "./mark-peaks.ts";

const fanOut = 6;
const leastFrames = 3;
const mostFrames = 40;
const mostBins = 80;

/** Bits of a `mark-v1` hash: anchor frequency 8, difference of frequencies 8, frames between 6. */
export const markHashBits = 22;

/**
 * How a query may differ from the recording: `tempo` takes query time to reference time (1.05 for a query played 5 % too
 * fast), `pitch` takes query frequency to reference frequency.
 */
export interface Hypothesis {
  readonly tempo: number;
  readonly pitch: number;
}

export const identity: Hypothesis = { tempo: 1, pitch: 1 };

/** Hashes with their times, growing as needed; reused from hypothesis to hypothesis. */
export class PairList {
  hashes: Uint32Array = new Uint32Array(1024);
  /** Reference frames, integers. */
  frames: Int32Array = new Int32Array(1024);
  count = 0;

  add(hash: number, frame: number): void {
    if (this.count === this.hashes.length) {
      const hashes = new Uint32Array(this.count * 2);
      const frames = new Int32Array(this.count * 2);
      hashes.set(this.hashes);
      frames.set(this.frames);
      this.hashes = hashes;
      this.frames = frames;
    }
    this.hashes[this.count] = hash;
    this.frames[this.count++] = frame;
  }

  /** Sorts by (hash, frame) and drops repetitions. */
  distinct(): void {
    // hash (22 bits) * 2^31 + frame is exact in an f64.
    const keys = new Float64Array(this.count);
    for (let i = 0; i < this.count; i++) keys[i] = this.hashes[i]! * 2 ** 31 + (this.frames[i]! + 2 ** 30);
    keys.sort();
    let kept = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (i > 0 && key === keys[i - 1]) continue;
      const hash = Math.floor(key / 2 ** 31);
      this.hashes[kept] = hash;
      this.frames[kept++] = key - hash * 2 ** 31 - 2 ** 30;
    }
    this.count = kept;
  }
}

/**
 * Appends the pairs of `peaks` (records of `mark-v1`, in order) under a hypothesis: each anchor with the next peaks 3 to
 * 40 frames ahead and at most 80 bins apart, six at most. A hash is the anchor's frequency in steps of two bins (8 bits),
 * the difference of the two frequencies (8 bits) and the frames between (6 bits).
 *
 * @param shift fraction of a frame by which the analysis began late
 */
export function appendMarkPairs(
  peaks: Uint32Array,
  hypothesis: Hypothesis,
  shift: number,
  into: PairList,
): void {
  const { tempo, pitch } = hypothesis;
  const perUnit = pitch / frequencyUnit;
  for (let i = 0; i < peaks.length; i += 2) {
    const f1 = peaks[i]! * perUnit;
    const t1 = peaks[i + 1]!;
    const anchor = Math.floor(f1 / 2 + 0.5);
    if (anchor > 255) continue;
    let found = 0;
    for (let k = i + 2; k < peaks.length && found < fanOut; k += 2) {
      const frames = Math.floor((peaks[k + 1]! - t1) * tempo + 0.5);
      if (frames < leastFrames) continue;
      if (frames > mostFrames) break;
      const difference = peaks[k]! * perUnit - f1;
      if (difference > mostBins || difference < -mostBins) continue;
      const code = Math.floor(difference / 2 + 64.5) & 255;
      into.add((anchor << 14) | (code << 6) | frames, roundHalfEven((t1 + shift) * tempo));
      found++;
    }
  }
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
