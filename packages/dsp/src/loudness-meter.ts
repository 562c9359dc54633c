import { CoreBlock, sharedCore } from "./core.ts";
import { DspError, requireInteger, requireNumber } from "./errors.ts";
import { kWeighting } from "./k-weighting.ts";
import { LoudnessHistogram } from "./loudness-histogram.ts";

/** Frames of one call into the core. */
const blockFrames = 4096;
/** Taps of the interpolator for the true peak, and its Kaiser beta: within 0.1 dB up to 0.45 of the rate. */
const peakTaps = 32;
const peakBeta = 6;
/**
 * Blocks of 10 ms in a momentary (400 ms) and a short-term (3 s) window. So fine a step finds the largest momentary value
 * wherever a sound begins (Tech 3341, case 13).
 */
const momentaryBlocks = 40;
const shortTermBlocks = 300;
const blocksPerSecond = 100;
/** Gating looks at windows that begin 100 ms apart: 75 % of overlap for 400 ms (BS.1770-5). */
const gatingBlocks = 10;

/** Places in the array of sums: energy of the block under way, largest momentary and short-term loudness, true peak. */
const blockEnergy = 0;
const largestMomentary = 1;
const largestShortTerm = 2;
const peak = 3;

export interface LoudnessMeterOptions {
  /** Rate in Hz, 4,000 to 768,000. */
  readonly sampleRate: number;
  /** Interleaved channels, 1 to 64. */
  readonly channels: number;
  /**
   * Weight of each channel's energy. Default: 1 for all; for 5 channels (L R C Ls Rs) and 6 (L R C LFE Ls Rs) the
   * surrounds weigh 1.41 and the LFE 0 (ITU-R BS.1770-5, table 3).
   */
  readonly channelWeights?: readonly number[];
}

/**
 * Loudness after EBU R 128 (ITU-R BS.1770-5, EBU Tech 3341 and 3342) and true peak, streaming, in fixed memory whatever
 * the length. Loudness is in LUFS, -Infinity for silence; all values are of what was pushed so far. Samples that are
 * not finite count as 0 and are counted in `nonFiniteSamples`.
 *
 * @example
 * const meter = new LoudnessMeter({ sampleRate: 48000, channels: 2 });
 * meter.push(interleaved);
 * console.log(meter.integrated(), meter.range(), meter.truePeakDb());
 */
export class LoudnessMeter {
  readonly sampleRate: number;
  readonly channels: number;
  readonly #weights: readonly number[];
  readonly #block: CoreBlock;
  readonly #rows: Float32Array[] = [];
  readonly #states: Float64Array[] = [];
  readonly #address: Readonly<Record<"filter" | "window" | "ring" | "table" | "states" | "rows", number>>;
  readonly #phases: number;
  /** Energies of the last 3 s in blocks of 10 ms, as a ring of pairs: energy, number of frames. */
  readonly #ring: Float64Array;
  /** Energy and loudness of the window that was measured last. */
  readonly #window: Float64Array;
  readonly #momentary: LoudnessHistogram = new LoudnessHistogram();
  readonly #shortTerm: LoudnessHistogram = new LoudnessHistogram();
  #blocks = 0;
  #blockFrames = 0;
  #blockLength = 0;
  /** In an array, because a number that is kept in a field costs heap whenever it changes. */
  readonly #sums: Float64Array = new Float64Array(4);

  /** @throws DspError `dsp/bad-option` */
  constructor(options: LoudnessMeterOptions) {
    const { sampleRate, channels } = options;
    requireInteger("The sample rate", sampleRate, 4000, 768_000);
    requireInteger("The number of channels", channels, 1, 64);
    const weights = options.channelWeights ?? defaultWeights(channels);
    if (weights.length !== channels) {
      throw new DspError(
        "dsp/bad-option",
        "usage",
        `${channels} channels need as many weights, not ${weights.length}.`,
      );
    }
    for (const weight of weights) requireNumber("A channel's weight", weight, 0, 100);
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.#weights = weights;
    // Four times oversampling up to 96 kHz, twice up to 192 kHz (BS.1770-5, annex 2 asks for 192 kHz in all).
    this.#phases = sampleRate < 96_000 ? 4 : sampleRate < 192_000 ? 2 : 1;
    const filter = 0;
    const window = 96;
    const ring = 128;
    const table = ring + 16 * shortTermBlocks;
    const states = table + 4 * this.#phases * peakTaps;
    const rows = states + 64 * channels;
    const rowBytes = 4 * (blockFrames + peakTaps);
    const block = new CoreBlock(this, rows + rowBytes * channels);
    this.#block = block;
    block.doubles(filter, 10).set(kWeighting(sampleRate));
    block.core.sincTable(block.address + table, this.#phases, this.#phases, peakTaps, 0.5, peakBeta);
    for (let channel = 0; channel < channels; channel++) {
      this.#rows.push(block.floats(rows + channel * rowBytes, blockFrames + peakTaps));
      this.#states.push(block.doubles(states + 64 * channel, 5));
    }
    this.#ring = block.doubles(ring, 2 * shortTermBlocks);
    this.#window = block.doubles(window, 2);
    const base = block.address;
    this.#address = {
      filter: base + filter,
      window: base + window,
      ring: base + ring,
      table: base + table,
      states: base + states,
      rows: base + rows,
    };
    this.reset();
  }

  /**
   * Takes interleaved frames.
   * @throws DspError `dsp/bad-length` where the last frame is not whole
   */
  push(samples: Float32Array): void {
    const frames = samples.length / this.channels;
    if (!Number.isInteger(frames)) {
      throw new DspError(
        "dsp/bad-length",
        "usage",
        `${samples.length} values are no whole number of frames of ${this.channels} channels.`,
      );
    }
    for (let at = 0; at < frames; ) {
      const count = Math.min(frames - at, blockFrames, this.#blockLength - this.#blockFrames);
      this.#measure(samples, at, count);
      at += count;
    }
  }

  /** Takes the inter-sample peaks of the last samples into account, as if silence followed; call it at the end. */
  flush(): void {
    for (let channel = 0; channel < this.channels; channel++) {
      this.#rows[channel]!.fill(0, peakTaps - 1, 2 * peakTaps - 1);
      this.#measurePeak(channel, peakTaps);
    }
  }

  /** Loudness of the last 400 ms, renewed every 10 ms; -Infinity before the first 400 ms. */
  momentary(): number {
    return this.#windowLoudness(momentaryBlocks);
  }

  /** Loudness of the last 3 s, renewed every 10 ms; -Infinity before the first 3 s. */
  shortTerm(): number {
    return this.#windowLoudness(shortTermBlocks);
  }

  /** Largest momentary loudness so far, at steps of 10 ms. */
  maxMomentary(): number {
    return this.#sums[largestMomentary]!;
  }

  /** Largest short-term loudness so far, at steps of 100 ms. */
  maxShortTerm(): number {
    return this.#sums[largestShortTerm]!;
  }

  /** Gated loudness of everything so far: blocks of 400 ms above -70 LUFS and above 10 LU under their mean. */
  integrated(): number {
    const gate = loudnessOf(this.#momentary.meanEnergy()) - 10;
    return loudnessOf(this.#momentary.meanEnergyAbove(gate));
  }

  /** Loudness range in LU (Tech 3342): 10th to 95th percentile of the short-term loudness, gated 20 LU under its mean. */
  range(): number {
    const gate = loudnessOf(this.#shortTerm.meanEnergy()) - 20;
    const low = this.#shortTerm.percentile(gate, 0.1);
    const high = this.#shortTerm.percentile(gate, 0.95);
    return low === undefined || high === undefined ? 0 : high - low;
  }

  /** Largest magnitude of the oversampled signal in dBTP; -Infinity for silence. */
  truePeakDb(): number {
    const largest = this.#sums[peak]!;
    return largest === 0 ? Number.NEGATIVE_INFINITY : 20 * log10(largest);
  }

  /** Samples so far that were NaN or infinite. */
  get nonFiniteSamples(): number {
    return this.#states.reduce((sum, state) => sum + state[4]!, 0);
  }

  /** Forgets everything. */
  reset(): void {
    for (const row of this.#rows) row.fill(0);
    for (const state of this.#states) state.fill(0);
    this.#momentary.clear();
    this.#shortTerm.clear();
    this.#blocks = 0;
    this.#blockFrames = 0;
    this.#blockLength = Math.floor(this.sampleRate / blocksPerSecond);
    this.#sums.fill(0);
    this.#sums.fill(Number.NEGATIVE_INFINITY, largestMomentary, largestShortTerm + 1);
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block.close();
  }

  #measure(samples: Float32Array, first: number, count: number): void {
    const channels = this.channels;
    const rowBytes = 4 * (blockFrames + peakTaps);
    const { filter, states, rows } = this.#address;
    for (let channel = 0; channel < channels; channel++) {
      const row = this.#rows[channel]!;
      let from = first * channels + channel;
      const end = peakTaps - 1 + count;
      for (let to = peakTaps - 1; to < end; to++, from += channels) row[to] = samples[from]!;
      const at = rows + channel * rowBytes + 4 * (peakTaps - 1);
      const energy = this.#block.core.weightedEnergy(at, count, filter, states + 64 * channel);
      this.#sums[blockEnergy] = this.#sums[blockEnergy]! + this.#weights[channel]! * energy;
      this.#measurePeak(channel, count);
    }
    this.#blockFrames += count;
    if (this.#blockFrames === this.#blockLength) this.#endBlock();
  }

  /** Looks at `count` samples behind the row's history and keeps the last ones as the next history. */
  #measurePeak(channel: number, count: number): void {
    const { rows, table } = this.#address;
    const at = rows + channel * 4 * (blockFrames + peakTaps);
    const largest = this.#block.core.interpolatedPeak(at, count, table, this.#phases, peakTaps);
    if (largest > this.#sums[peak]!) this.#sums[peak] = largest;
    this.#rows[channel]!.copyWithin(0, count, count + peakTaps - 1);
  }

  #endBlock(): void {
    const slot = this.#blocks % shortTermBlocks;
    this.#ring[2 * slot] = this.#sums[blockEnergy]!;
    this.#ring[2 * slot + 1] = this.#blockFrames;
    this.#blocks++;
    this.#sums[blockEnergy] = 0;
    this.#blockFrames = 0;
    // Block k ends at frame floor((k + 1) rate / 100), so that rates that 100 does not divide keep their time.
    const end = Math.floor(((this.#blocks + 1) * this.sampleRate) / blocksPerSecond);
    this.#blockLength = end - Math.floor((this.#blocks * this.sampleRate) / blocksPerSecond);
    const gates = this.#blocks % gatingBlocks === 0;
    if (this.#blocks >= momentaryBlocks) {
      this.#measureWindow(momentaryBlocks);
      if (gates) this.#momentary.add(this.#window);
      if (this.#window[1]! > this.#sums[largestMomentary]!) this.#sums[largestMomentary] = this.#window[1]!;
    }
    if (gates && this.#blocks >= shortTermBlocks) {
      this.#measureWindow(shortTermBlocks);
      this.#shortTerm.add(this.#window);
      if (this.#window[1]! > this.#sums[largestShortTerm]!) this.#sums[largestShortTerm] = this.#window[1]!;
    }
  }

  #windowLoudness(blocks: number): number {
    if (this.#blocks < blocks) return Number.NEGATIVE_INFINITY;
    this.#measureWindow(blocks);
    return this.#window[1]!;
  }

  /** Mean energy of the last `blocks` blocks and its loudness, into #window. */
  #measureWindow(blocks: number): void {
    const { ring, window } = this.#address;
    this.#block.core.windowLoudness(ring, shortTermBlocks, this.#blocks % shortTermBlocks, blocks, window);
  }
}

/** -0.691 + 10 log10(energy) (BS.1770-5, equation 2); energies that small are silence. */
function loudnessOf(energy: number): number {
  return energy > 1e-200 ? -0.691 + 10 * log10(energy) : Number.NEGATIVE_INFINITY;
}

function log10(x: number): number {
  return sharedCore().log2(x) * 0.3010299956639812;
}

function defaultWeights(channels: number): number[] {
  if (channels === 5) return [1, 1, 1, 1.41, 1.41];
  if (channels === 6) return [1, 1, 1, 0, 1.41, 1.41];
  return new Array<number>(channels).fill(1);
}
