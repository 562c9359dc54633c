import { exactLog2 } from "../decibels.ts";
import { CellLevels, contextFrames } from "./cell-levels.ts";
import { detectFramesPerPeriod, detectFramesPerSlot, geometry, slotOfEmbedFrame } from "./geometry.ts";
import type { FrameMarker } from "./mark-frame.ts";

const { frame: frameSize, embedHop: hop, detectHop, bands, slots, embedFramesPerSlot } = geometry;
const periodFrames = slots * embedFramesPerSlot;
const cells = slots * bands;

/** Samples before a period with which its first levels are compared. */
export const trialPast: number = contextFrames * detectHop;
/** Frames behind a period whose marks reach into the samples with which its last levels are compared. */
const followingFrames = Math.ceil((trialPast + detectHop + frameSize) / hop);

/** A period on trial. */
export interface TrialPeriod {
  /** Number of its first frame. */
  readonly frame: number;
  /** The last `trialPast` samples before it, marked. */
  readonly past: Float32Array;
  /** The sound from its first frame on, unmarked, `filled` samples. */
  readonly sound: Float32Array;
  readonly filled: number;
  /** What earlier frames add to its first 1,024 samples. */
  readonly started: Float32Array;
  /** Chips of its cells, and of the cells behind it, whose own are not known yet. */
  readonly chips: Float32Array;
  readonly chipsBehind: Float32Array;
}

/** Marks a period for trial and looks at it with the detector's eyes. */
export class TrialMark {
  /** Sum of the levels of every cell over its frames, in octaves. */
  readonly levels: Float64Array = new Float64Array(cells);
  readonly #meter = new CellLevels();
  readonly #sum = new Float32Array(frameSize);
  readonly #piece = new Float32Array(hop);
  #ratioLog = 0;
  #ratioCount = 0;

  /** Mean of log2(energy of the mark / energy of the sound) of the pieces of 16 ms; undefined in silence. */
  get energyRatioLog(): number | undefined {
    return this.#ratioCount > 0 ? this.#ratioLog / this.#ratioCount : undefined;
  }

  measure(marker: FrameMarker, period: TrialPeriod): void {
    const { frame, sound, filled } = period;
    const sum = this.#sum;
    this.#meter.reset();
    this.levels.fill(0);
    this.#ratioLog = this.#ratioCount = 0;
    sum.set(period.started);
    this.#meter.push(period.past, this.#count);
    for (let i = 0; i < periodFrames + followingFrames; i++) {
      const start = i * hop;
      const row = slotOfEmbedFrame(frame + i) * bands;
      const chips = i < periodFrames ? period.chips : period.chipsBehind;
      if (start + frameSize <= filled) marker.add(frame + i, sound, start, chips, row, sum);
      if (i < periodFrames) this.#compare(sound, start);
      for (let j = 0; j < hop; j++) this.#piece[j] = (sound[start + j] ?? 0) + sum[j]!;
      sum.copyWithin(0, hop);
      sum.fill(0, frameSize - hop);
      this.#meter.push(this.#piece, this.#count);
    }
  }

  #compare(sound: Float32Array, start: number): void {
    let [host, mark] = [0, 0];
    for (let j = 0; j < hop; j++) {
      host += sound[start + j]! ** 2;
      mark += this.#sum[j]! ** 2;
    }
    if (mark > 0 && host > 1e-9) {
      this.#ratioLog += exactLog2(mark / host);
      this.#ratioCount++;
    }
  }

  readonly #count = (index: number, levels: Float64Array): void => {
    const frame = index - contextFrames;
    if (frame >= detectFramesPerPeriod) return;
    const row = Math.floor(frame / detectFramesPerSlot) * bands;
    for (let band = 0; band < bands; band++) this.levels[row + band]! += levels[band]!;
  };
}
