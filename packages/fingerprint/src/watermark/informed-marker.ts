import { exactLog2 } from "../decibels.ts";
import { CellLevels } from "./cell-levels.ts";
import { FillNoise } from "./fill-noise.ts";
import { detectFramesPerPeriod, detectFramesPerSlot, geometry, slotOfEmbedFrame } from "./geometry.ts";
import { FrameMarker, type MarkStrength } from "./mark-frame.ts";
import { TrialMark, trialPast } from "./trial-mark.ts";

const { frame: frameSize, embedHop: hop, detectHop, bands, slots, embedFramesPerSlot } = geometry;
const periodFrames = slots * embedFramesPerSlot;
/** Samples of a frame before those that it adds: frame e covers the samples from e * hop - lead on. */
const lead = frameSize - hop;
/** A detector's frame d has its middle where frame (d + this) / 2 of the marker has its own. */
const detectShift = (2 * lead) / hop;
/** Strengths of a bit beside the others. */
const weakest = 0.15;
const strongest = 4;
const strongestTried = 12;
/** Where every bit's sum should end, as a multiple of what the plain mark moves it by. */
const aim = 2;
/** Trials, and the part of the mean sum that no bit should stay below. */
const trials = 3;
const leastShare = 0.75;
/** Part of what a bit lacked in the period before that is made up for: the detector adds periods up. */
const carried = 1;
/** Largest factor on all changes. */
const largestScale = 1.7;

/**
 * Makes the mark for a sound at 16 kHz in rounds. The first marks every cell alike and sees, with the detector's own eyes,
 * how far that moves the sum of each bit over a period, and where the sound alone has put it. From that follows what every
 * bit lacks: little where the sound happens to say the same already, more where it says the opposite (informed embedding;
 * Malvar and Florencio, "Improved spread spectrum", 2003). Three trials look at what that has brought, and correct it: bits that
 * are still weak get more, strong ones less, and the energy that the rounds before have left is used.
 */
export class InformedMarker {
  readonly #signs: Int8Array;
  readonly #groups: Int16Array;
  readonly #plainChips: Float32Array;
  readonly #chips: Float32Array;
  readonly #plainMarker: FrameMarker;
  readonly #marker: FrameMarker;
  /** Sound not yet marked, from `lead` samples before frame `#frame` on. */
  readonly #sound: Float32Array;
  readonly #piece = new Float32Array(hop);
  readonly #plainSum = new Float32Array(frameSize);
  readonly #sum = new Float32Array(frameSize);
  /** Sums of every group over a period, of the sound alone and of the plainly marked one; two periods in turn. */
  readonly #hostSums: Float64Array[];
  readonly #plainSums: Float64Array[];
  readonly #hostLevels = new CellLevels();
  readonly #plainLevels = new CellLevels();
  #filled = 0;
  #frame = 0;
  #plainFrame = 0;
  #hostPeriod = 0;
  #plainPeriod = 0;
  #spentLog = 0;
  #spentCount = 0;
  readonly #strength: MarkStrength;
  readonly #trial = new TrialMark();
  /** The last samples before the period, marked. */
  readonly #past = new Float32Array(trialPast);
  readonly #gains: Float64Array;
  readonly #trialSums: Float64Array;
  /** Of the trials of a period the one that left the least lacking. */
  readonly #bestGains: Float64Array;
  readonly #bestLacked: Float64Array;
  #bestScale = 1;
  /** What every bit lacked in the period before; not positive. */
  readonly #lacked: Float64Array;

  /**
   * @param signs chip of every cell, with the sign of the bit that it carries
   * @param groups group of every cell, 0 to `groupCount - 1`: a bit of the code word, or a share of the synchronisation
   */
  constructor(signs: Int8Array, groups: Int16Array, groupCount: number, strength: MarkStrength) {
    this.#signs = signs;
    this.#strength = strength;
    this.#groups = groups;
    this.#plainChips = Float32Array.from(signs);
    this.#chips = new Float32Array(signs.length);
    const noise = new FillNoise();
    this.#plainMarker = new FrameMarker(strength, noise);
    this.#marker = new FrameMarker(strength, noise);
    this.#sound = new Float32Array(lead + latency + hop);
    this.#hostSums = [new Float64Array(groupCount), new Float64Array(groupCount)];
    this.#plainSums = [new Float64Array(groupCount), new Float64Array(groupCount)];
    this.#gains = new Float64Array(groupCount);
    this.#trialSums = new Float64Array(groupCount);
    this.#bestGains = new Float64Array(groupCount);
    this.#bestLacked = new Float64Array(groupCount);
    this.#lacked = new Float64Array(groupCount);
    this.reset();
  }

  reset(): void {
    this.#sound.fill(0);
    this.#past.fill(0);
    this.#lacked.fill(0);
    this.#plainSum.fill(0);
    this.#sum.fill(0);
    for (const sums of [...this.#hostSums, ...this.#plainSums]) sums.fill(0);
    this.#hostLevels.reset();
    this.#plainLevels.reset();
    this.#filled = lead;
    this.#frame = this.#plainFrame = this.#hostPeriod = this.#plainPeriod = 0;
  }

  /**
   * Takes the next 256 samples from `samples[from]` on.
   * @param onMark called with 256 samples of the mark at a time, in order, valid during the call
   */
  push(samples: Float32Array, from: number, onMark: (mark: Float32Array) => void): void {
    for (let i = 0; i < hop; i++) this.#sound[this.#filled + i] = this.#piece[i] = samples[from + i]!;
    this.#filled += hop;
    this.#hostLevels.push(this.#piece, (frame, levels) => {
      this.#hostPeriod = this.#count(frame, levels, this.#hostSums, this.#hostPeriod);
    });
    this.#markPlainly();
    const done = this.#plainPeriod * periodFrames;
    if (this.#frame < done) this.#markPeriod(onMark);
  }

  /** The first round for the newest frame. */
  #markPlainly(): void {
    const start = this.#filled - frameSize;
    const row = slotOfEmbedFrame(this.#plainFrame) * bands;
    this.#plainMarker.add(this.#plainFrame, this.#sound, start, this.#plainChips, row, this.#plainSum);
    this.#measure(start);
    for (let i = 0; i < hop; i++) this.#piece[i] = this.#sound[start + i]! + this.#plainSum[i]!;
    shift(this.#plainSum);
    if (this.#plainFrame++ < lead / hop) return;
    this.#plainLevels.push(this.#piece, (frame, levels) => {
      this.#plainPeriod = this.#count(frame, levels, this.#plainSums, this.#plainPeriod);
    });
  }

  /** Compares the energies of sound and plain mark in the newest 16 ms. */
  #measure(start: number): void {
    let sound = 0;
    let mark = 0;
    for (let i = 0; i < hop; i++) {
      sound += this.#sound[start + i]! ** 2;
      mark += this.#plainSum[i]! ** 2;
    }
    if (mark > 0 && sound > 1e-9) {
      this.#spentLog += exactLog2(mark / sound);
      this.#spentCount++;
    }
  }

  /** Adds a frame's levels to the sums of its period; returns the period that is being summed. */
  #count(frame: number, levels: Float64Array, sums: readonly Float64Array[], current: number): number {
    const at = frame + detectShift;
    const period = Math.floor(at / detectFramesPerPeriod);
    const target = sums[period & 1]!;
    if (period !== current) target.fill(0);
    const row = (Math.floor(at / detectFramesPerSlot) % slots) * bands;
    for (let band = 0; band < bands; band++) {
      target[this.#groups[row + band]!]! += this.#signs[row + band]! * levels[band]!;
    }
    return period;
  }

  /** The other rounds for a period of which both sums are known. */
  #markPeriod(onMark: (mark: Float32Array) => void): void {
    const period = this.#frame / periodFrames;
    const moved = this.#gainsFrom(this.#hostSums[period & 1]!, this.#plainSums[period & 1]!);
    if (moved > 0) this.#improveGains(moved);
    const late = periodFrames * hop - trialPast;
    for (let i = 0; i < periodFrames; i++, this.#frame++) {
      const row = slotOfEmbedFrame(this.#frame) * bands;
      this.#marker.add(this.#frame, this.#sound, i * hop, this.#chips, row, this.#sum);
      for (let j = 0; j < hop; j++) this.#piece[j] = this.#sum[j]!;
      if (this.#frame >= lead / hop) onMark(this.#piece);
      const at = i * hop - late;
      for (let j = 0; j < hop && at >= 0; j++) {
        this.#past[at + j] = this.#sound[i * hop + j]! + this.#sum[j]!;
      }
      shift(this.#sum);
    }
    this.#sound.copyWithin(0, periodFrames * hop, this.#filled);
    this.#filled -= periodFrames * hop;
  }

  /** What every bit lacks by the first round; returns how far that moved a bit's sum, in the mean. */
  #gainsFrom(host: Float64Array, plain: Float64Array): number {
    let moved = 0;
    for (let group = 0; group < host.length; group++) moved += plain[group]! - host[group]!;
    moved /= host.length;
    const spent = this.#spentCount > 0 ? this.#spentLog / this.#spentCount : 0;
    const short = exactLog2(this.#strength.energyRatio) - spent;
    this.#marker.scale = 1 + Math.max(0, Math.min(0.5, 0.35 * short));
    this.#spentLog = this.#spentCount = 0;
    for (let group = 0; group < host.length; group++) {
      const lacks = moved > 0 ? aim - (host[group]! + carried * this.#lacked[group]!) / moved : 1;
      this.#gains[group] = Math.max(weakest, Math.min(strongest, lacks));
    }
    this.#setChips();
    return moved;
  }

  /** Looks at what the gains bring and corrects them; of all that was tried what leaves the least lacking is taken. */
  #improveGains(moved: number): void {
    const gains = this.#gains;
    const sums = this.#trialSums;
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; ; round++) {
      const wanted = leastShare * this.#try();
      let lacking = 0;
      for (let group = 0; group < gains.length; group++) {
        lacking += Math.max(0, 1 - sums[group]! / wanted) ** 2;
      }
      if (lacking < least) {
        least = lacking;
        this.#bestGains.set(gains);
        this.#bestScale = this.#marker.scale;
        for (let group = 0; group < gains.length; group++) {
          this.#bestLacked[group] = Math.min(0, sums[group]! - wanted);
        }
      }
      if (round === trials) break;
      for (let group = 0; group < gains.length; group++) {
        const lacks = wanted - sums[group]! - carried * this.#lacked[group]!;
        gains[group] = Math.max(weakest, Math.min(strongestTried, gains[group]! + lacks / moved));
      }
      const spent = this.#trial.energyRatioLog;
      if (spent !== undefined) {
        const left = exactLog2(this.#strength.energyRatio) - spent;
        // 0.3: a little less than a factor on amplitudes takes for an octave of energy, log(2) / 2.
        const scale = this.#marker.scale * (1 + 0.3 * left);
        this.#marker.scale = Math.max(1, Math.min(largestScale, scale));
      }
      this.#setChips();
    }
    gains.set(this.#bestGains);
    this.#marker.scale = this.#bestScale;
    this.#lacked.set(this.#bestLacked);
    this.#setChips();
  }

  #setChips(): void {
    for (let cell = 0; cell < this.#chips.length; cell++) {
      this.#chips[cell] = this.#signs[cell]! * this.#gains[this.#groups[cell]!]!;
    }
  }

  /** Tries the chips on the period and sums the levels by group; returns the mean sum. */
  #try(): number {
    this.#trial.measure(this.#marker, {
      frame: this.#frame,
      past: this.#past,
      sound: this.#sound,
      filled: this.#filled,
      started: this.#sum,
      chips: this.#chips,
      chipsBehind: this.#plainChips,
    });
    const sums = this.#trialSums;
    sums.fill(0);
    for (let cell = 0; cell < this.#chips.length; cell++) {
      sums[this.#groups[cell]!]! += this.#signs[cell]! * this.#trial.levels[cell]!;
    }
    let mean = 0;
    for (let group = 0; group < sums.length; group++) mean += sums[group]! / sums.length;
    return mean;
  }
}

/** Samples between a sample of the sound and its mark, at most: a period, and what its last levels reach into. */
export const latency: number =
  periodFrames * hop + 2 * frameSize + 2 * detectFramesPerSlot * detectHop + 4 * hop;

function shift(sum: Float32Array): void {
  sum.copyWithin(0, hop);
  sum.fill(0, frameSize - hop);
}
