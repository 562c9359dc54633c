import { CoreBlock } from "./core.ts";
import { DspError, requireInteger, requireRoom } from "./errors.ts";

/** Input frames that are staged beside one filter length, and output frames of one call into the core. */
const blockFrames = 4096;

/**
 * Kaiser design (Kaiser and Schafer, 1980) for 110 dB: beta = 0.1102 (110 - 8.7), taps = (110 - 7.95) / (14.36 width),
 * where the transition reaches from 0.91 to 1 of the lower Nyquist frequency, 0.045 of the lower rate.
 */
const beta = 11.163;
const tapsAtEqualRates = 160;
const cutoffAtEqualRates = 0.4775;

/** Values of a table that has one row for every phase; above, rows are interpolated. */
const exactTableValues = 262_144;
/** Rows between which to interpolate linearly, per unit of the lower rate: errors stay under -115 dB. */
const interpolatedRows = 1024;
const maxRatio = 256;

export interface ResamplerOptions {
  /** Input rate in Hz, a whole number up to 10,000,000. */
  readonly from: number;
  /** Output rate in Hz; at most 256 times higher or lower. */
  readonly to: number;
  /** Interleaved channels, 1 to 64; default 1. */
  readonly channels?: number;
}

/**
 * Streaming polyphase resampler between any two integer rates. Flat within 0.05 dB up to 0.91 of the lower Nyquist
 * frequency; aliases and images under -100 dB. Equal rates pass samples through unchanged.
 *
 * Time is kept exactly: output frame n lies at n / to seconds of the input, so `delayFrames` is 0; what costs time is
 * `lookaheadFrames`, input frames that must arrive before an output frame can be given. After `flush`, N input frames
 * have given ceil(N to / from) output frames in all. The output is the same bits for every cut of the stream.
 *
 * @example
 * const resampler = new Resampler({ from: 44100, to: 48000 });
 * const output = new Float32Array(resampler.maxOutputFrames(samples.length));
 * const count = resampler.process(samples, output); // and at the end: resampler.flush(output)
 */
export class Resampler {
  readonly from: number;
  readonly to: number;
  readonly channels: number;
  /** Output frames by which the output is late against the input: always 0. */
  readonly delayFrames: number = 0;
  /** Input frames beyond its own time that an output frame needs; 0 for equal rates. */
  readonly lookaheadFrames: number;
  readonly #phases: number;
  readonly #step: number;
  readonly #taps: number;
  readonly #tableRows: number;
  readonly #block: CoreBlock | undefined;
  readonly #table: number = 0;
  readonly #inputs: Float32Array[] = [];
  readonly #outputs: Float32Array[] = [];
  readonly #inputRow: number = 0;
  /** Frames staged in every input row, the first tap of the next output in them, and its phase. */
  #filled = 0;
  #start = 0;
  #phase = 0;

  /** @throws DspError `dsp/bad-option`, `dsp/out-of-memory` */
  constructor(options: ResamplerOptions) {
    const { from, to } = options;
    const channels = options.channels ?? 1;
    requireInteger("The input rate", from, 1, 1e7);
    requireInteger("The output rate", to, 1, 1e7);
    requireInteger("The number of channels", channels, 1, 64);
    if (from > to * maxRatio || to > from * maxRatio) {
      throw new DspError(
        "dsp/bad-option",
        "usage",
        `Rates may differ by a factor of ${maxRatio}, not as ${from} and ${to} Hz; resample in two steps.`,
      );
    }
    const divisor = greatestCommonDivisor(from, to);
    const ratio = Math.min(1, to / from);
    this.from = from;
    this.to = to;
    this.channels = channels;
    this.#phases = to / divisor;
    this.#step = from / divisor;
    this.#taps = Math.ceil(tapsAtEqualRates / ratio / 8) * 8;
    this.#tableRows = 0;
    this.lookaheadFrames = from === to ? 0 : this.#taps / 2;
    if (from === to) return;
    let rows = this.#phases;
    let phases = rows;
    if (rows * this.#taps > exactTableValues) {
      phases = Math.max(16, Math.ceil(interpolatedRows * ratio));
      rows = phases + 1;
      this.#tableRows = phases;
    }
    const inputFrames = this.#taps + blockFrames;
    const tableBytes = 4 * rows * this.#taps;
    const block = new CoreBlock(this, tableBytes + 4 * channels * (inputFrames + blockFrames));
    this.#block = block;
    this.#table = block.address;
    block.core.sincTable(this.#table, rows, phases, this.#taps, cutoffAtEqualRates * ratio, beta);
    this.#inputRow = this.#table + tableBytes;
    for (let channel = 0; channel < channels; channel++) {
      this.#inputs.push(block.floats(tableBytes + 4 * channel * inputFrames, inputFrames));
      const outputs = tableBytes + 4 * (channels * inputFrames + channel * blockFrames);
      this.#outputs.push(block.floats(outputs, blockFrames));
    }
    this.reset();
  }

  /** Output frames that `process` of `inputFrames` frames, or `flush` (without argument), can give at most. */
  maxOutputFrames(inputFrames: number = this.lookaheadFrames): number {
    return Math.ceil((inputFrames * this.to) / this.from) + 1;
  }

  /**
   * Takes interleaved frames and writes what can be given so far.
   * @param input whole frames, of the caller, not kept
   * @param output room for `maxOutputFrames(input frames)` frames; must not share memory with the input
   * @param start first value of the input that is taken @param end and the one after the last
   * @returns output frames written
   * @throws DspError `dsp/bad-length` before anything was consumed
   */
  process(input: Float32Array, output: Float32Array, start = 0, end: number = input.length): number {
    const frames = (end - start) / this.channels;
    if (!Number.isInteger(frames) || !(start >= 0 && start <= end && end <= input.length)) {
      throw new DspError(
        "dsp/bad-length",
        "usage",
        `${end - start} of ${input.length} values are no whole number of frames of ${this.channels} channels.`,
      );
    }
    if (this.#block === undefined) {
      requireRoom("The output", output, end - start);
      for (let i = start; i < end; i++) output[i - start] = input[i]!;
      return frames;
    }
    requireRoom("The output", output, this.maxOutputFrames(frames) * this.channels);
    const capacity = this.#inputs[0]!.length;
    let written = 0;
    for (let at = 0; at < frames; ) {
      const count = Math.min(frames - at, capacity - this.#filled);
      this.#stage(input, start, at, count);
      at += count;
      written = this.#run(output, written);
    }
    return written;
  }

  /**
   * Ends the stream: gives the output frames that were waiting for later input, as if silence followed, and begins anew.
   * @param output room for `maxOutputFrames()` frames
   * @returns output frames written
   */
  flush(output: Float32Array): number {
    if (this.#block === undefined) return 0;
    requireRoom("The output", output, this.maxOutputFrames() * this.channels);
    const capacity = this.#inputs[0]!.length;
    let written = 0;
    for (let left = this.lookaheadFrames; left > 0; ) {
      const count = Math.min(left, capacity - this.#filled);
      for (const row of this.#inputs) row.fill(0, this.#filled, this.#filled + count);
      this.#filled += count;
      left -= count;
      written = this.#run(output, written);
    }
    this.reset();
    return written;
  }

  /** Forgets all input; the next frame is the first of a new stream. */
  reset(): void {
    // Silence before the stream, so that the first output lies exactly on the first input.
    this.#filled = this.#taps / 2 - 1;
    this.#start = 0;
    this.#phase = 0;
    for (const row of this.#inputs) row.fill(0, 0, this.#filled);
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block?.close();
  }

  #stage(input: Float32Array, start: number, first: number, frames: number): void {
    const channels = this.channels;
    if (channels === 1 && frames === input.length) {
      this.#inputs[0]!.set(input, this.#filled);
    } else {
      for (let channel = 0; channel < channels; channel++) {
        const row = this.#inputs[channel]!;
        let from = start + first * channels + channel;
        let to = this.#filled;
        for (let i = 0; i < frames; i++, from += channels) row[to++] = input[from]!;
      }
    }
    this.#filled += frames;
  }

  /** Writes all outputs that the staged input allows, from frame `written` on; returns the new number of frames. */
  #run(output: Float32Array, written: number): number {
    const channels = this.channels;
    const core = this.#block!.core;
    const rowBytes = 4 * this.#inputs[0]!.length;
    const outputs = this.#inputRow + channels * rowBytes;
    let total = written;
    let count = blockFrames;
    while (count === blockFrames) {
      for (let channel = 0; channel < channels; channel++) {
        count = core.resample(
          this.#inputRow + channel * rowBytes,
          this.#filled,
          this.#start,
          this.#phase,
          this.#phases,
          this.#step,
          this.#table,
          this.#tableRows,
          this.#taps,
          outputs + 4 * channel * blockFrames,
          blockFrames,
        );
        const row = this.#outputs[channel]!;
        let to = total * channels + channel;
        for (let i = 0; i < count; i++, to += channels) output[to] = row[i]!;
      }
      total += count;
      const position = this.#phase + count * this.#step;
      this.#start += Math.floor(position / this.#phases);
      this.#phase = position % this.#phases;
    }
    for (let channel = 0; channel < channels; channel++) {
      this.#inputs[channel]!.copyWithin(0, this.#start, this.#filled);
    }
    this.#filled -= this.#start;
    this.#start = 0;
    return total;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
