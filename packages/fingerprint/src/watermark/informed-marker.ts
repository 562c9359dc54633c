import { exactLog2 } from "../decibels.ts";
import { CellLevels } from "./cell-levels.ts";
import { FillNoise } from "./fill-noise.ts";
import { detectFramesPerPeriod, detectFramesPerSlot, geometry } from "./geometry.ts";
import { FrameMarker, type MarkStrength } from "./mark-frame.ts";

const { frame: frameSize, embedHop: hop, detectHop, bands, slots, embedFramesPerSlot } = geometry;
const periodFrames = slots * embedFramesPerSlot;
/** Samples of a frame before those that it adds: frame e covers the samples from e * hop - lead on. */
const lead = frameSize - hop;
/** A detector's frame d has its middle where frame (d + this) / 2 of the marker has its own. */
const detectShift = (2 * lead) / hop;
/** Strengths of a bit beside the others. */
const weakest = 0.15;
const strongest = 4;
/** Where every bit's sum should end, as a multiple of what the plain mark moves it by. */
const aim = 2;

/**
 * Makes the mark for a sound at 16 kHz in two rounds. The first marks every cell alike and sees, with the detector's
 * own eyes, how far that moves the sum of each bit over a period, and where the sound alone has put it. The second
 * gives every bit what it lacks: little where the sound happens to say the same already, more where it says the
 * opposite (informed embedding; Malvar and Florencio, "Improved spread spectrum", 2003).
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
    this.reset();
  }

  reset(): void {
    this.#sound.fill(0);
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
    const row = slotOf(this.#plainFrame) * bands;
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

  /** The second round for a period of which both sums are known. */
  #markPeriod(onMark: (mark: Float32Array) => void): void {
    const period = this.#frame / periodFrames;
    const host = this.#hostSums[period & 1]!;
    const plain = this.#plainSums[period & 1]!;
    let moved = 0;
    for (let group = 0; group < host.length; group++) moved += plain[group]! - host[group]!;
    moved /= host.length;
    const spent = this.#spentCount > 0 ? this.#spentLog / this.#spentCount : 0;
    const short = exactLog2(this.#strength.energyRatio) - spent;
    this.#marker.scale = 1 + Math.max(0, Math.min(0.5, 0.35 * short));
    this.#spentLog = this.#spentCount = 0;
    for (let cell = 0; cell < this.#chips.length; cell++) {
      const lacks = moved > 0 ? aim - host[this.#groups[cell]!]! / moved : 1;
      this.#chips[cell] = this.#signs[cell]! * Math.max(weakest, Math.min(strongest, lacks));
    }
    for (let i = 0; i < periodFrames; i++, this.#frame++) {
      const row = slotOf(this.#frame) * bands;
      this.#marker.add(this.#frame, this.#sound, i * hop, this.#chips, row, this.#sum);
      if (this.#frame >= lead / hop) {
        for (let j = 0; j < hop; j++) this.#piece[j] = this.#sum[j]!;
        onMark(this.#piece);
      }
      shift(this.#sum);
    }
    this.#sound.copyWithin(0, periodFrames * hop, this.#filled);
    this.#filled -= periodFrames * hop;
  }
}

/** Samples between a sample of the sound and its mark, at most: a period, and what its last levels reach into. */
export const latency: number =
  periodFrames * hop + 2 * frameSize + 2 * detectFramesPerSlot * detectHop + 4 * hop;

function slotOf(frame: number): number {
  return Math.floor(frame / embedFramesPerSlot) % slots;
}

function shift(sum: Float32Array): void {
  sum.copyWithin(0, hop);
  sum.fill(0, frameSize - hop);
}
