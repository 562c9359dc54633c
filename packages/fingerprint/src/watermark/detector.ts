import { Resampler } from "@longwave/dsp";
import { CellLevels, contextFrames } from "./cell-levels.ts";
import { keyBytes, requireRange } from "./embedder.ts";
import { geometry, detectFramesPerPeriod as period, detectFramesPerSlot as perSlot } from "./geometry.ts";
import { MessageCode, type PayloadBytes } from "./message.ts";
import { type Pattern, patternOf } from "./pattern.ts";

const { bands, slots, detectHop } = geometry;
/** Periods that are looked at together: more of them carry through more damage, fewer follow a cut sooner. */
const heldPeriods = 16;
/** One more is being filled by the first channels while the last completes its own. */
const blockCount = heldPeriods + 1;
const lookedAt = [2, 4, 8, heldPeriods] as const;
/** Starts of the pattern that are tried, best first, and the standard deviations above chance that the best must reach. */
const triedStarts = 6;
const leastSync = 3;

export interface WatermarkDetectOptions {
  /** Rate of the sound in Hz, 8,000 to 192,000. */
  readonly sampleRate: number;
  /** Interleaved channels, 1 to 8; their levels are added up, since all carry the same mark. Default 1. */
  readonly channels?: number;
  readonly key: Uint8Array | string;
  /** Bytes of the payload looked for; default 4. */
  readonly payloadBytes?: PayloadBytes;
}

/** A stretch of sound that carries one payload. */
export interface WatermarkSpan {
  readonly payload: Uint8Array;
  /** Seconds from the start of the sound; accurate to about a period of 2 s. */
  readonly start: number;
  readonly end: number;
  /** How far the best start of the pattern stood above chance, in standard deviations; 3.5 is the least. */
  readonly sync: number;
  /** Part of the code word's bits that arrived wrong, 0 to 0.1. */
  readonly bitErrorRate: number;
}

/**
 * Looks for the marks of one key in a stream of sound. A payload is reported only if the pattern's start stands out, the
 * word is within the reach of the BCH code, and CRC and MAC are right: by construction less than one report in 10^6 on
 * sound without the mark (docs/design/watermark.md gives the sum).
 */
export class WatermarkDetector {
  readonly sampleRate: number;
  readonly channels: number;
  readonly #lanes: Lane[] = [];
  readonly #samples: Float32Array;
  readonly #low: Float32Array;
  readonly #code: MessageCode;
  readonly #pattern: Pattern;
  /** The cells of known sign: where they are in `#slotSums` with the pattern's start at frame 0, and their signs. */
  readonly #syncPlaces: Int32Array;
  readonly #syncSigns: Int8Array;
  /** Sums of the levels of the last periods by frame of the period, a block of `period * bands` each, in a circle. */
  readonly #blocks: Float64Array[] = [];
  readonly #sum = new Float64Array(period * bands);
  readonly #slotSums = new Float64Array(period * bands);
  #frames = 0;
  #open: { span: WatermarkSpan; text: string } | undefined;

  /** @throws FingerprintError `watermark/key`, `fp/rate`, `fp/channels` */
  constructor(options: WatermarkDetectOptions) {
    const channels = options.channels ?? 1;
    requireRange("fp/rate", "The sample rate", options.sampleRate, 8000, 192_000);
    requireRange("fp/channels", "The number of channels", channels, 1, 8);
    const key = keyBytes(options.key);
    this.sampleRate = options.sampleRate;
    this.channels = channels;
    for (let channel = 0; channel < channels; channel++) {
      const resampler = new Resampler({ from: options.sampleRate, to: geometry.sampleRate });
      this.#lanes.push({ resampler, levels: new CellLevels(), frames: 0 });
    }
    const { resampler } = this.#lanes[0]!;
    this.#samples = new Float32Array(blockFrames);
    this.#low = new Float32Array(
      Math.max(resampler.maxOutputFrames(blockFrames), resampler.maxOutputFrames()),
    );
    this.#code = new MessageCode(key, options.payloadBytes ?? 4);
    const pattern = patternOf(key, this.#code.codeBits);
    const known = Array.from(pattern.bits.keys()).filter((cell) => pattern.bits[cell]! < 0);
    this.#pattern = pattern;
    this.#syncPlaces = Int32Array.from(
      known,
      (cell) => Math.floor(cell / bands) * perSlot * bands + (cell % bands),
    );
    this.#syncSigns = Int8Array.from(known, (cell) => pattern.signs[cell]!);
    for (let i = 0; i < blockCount; i++) this.#blocks.push(new Float64Array(period * bands));
  }

  /**
   * Takes interleaved frames.
   * @param onSpan called with every span that has ended; a span ends when its payload has not been read for three periods
   */
  process(input: Float32Array, onSpan: (span: WatermarkSpan) => void): void {
    const frames = Math.floor(input.length / this.channels);
    for (let at = 0; at < frames; at += blockFrames) {
      const count = Math.min(blockFrames, frames - at);
      for (let channel = 0; channel < this.channels; channel++) {
        for (let i = 0; i < count; i++) {
          const value = input[(at + i) * this.channels + channel]!;
          this.#samples[i] = value - value === 0 ? value : 0;
        }
        const given = this.#lanes[channel]!.resampler.process(this.#samples.subarray(0, count), this.#low);
        this.#take(channel, this.#low.subarray(0, given), onSpan);
      }
    }
  }

  /** Looks at what is left and ends the last span; `process` then starts another sound. */
  flush(onSpan: (span: WatermarkSpan) => void): void {
    const silence = new Float32Array(contextFrames * detectHop);
    for (let channel = 0; channel < this.channels; channel++) {
      const given = this.#lanes[channel]!.resampler.flush(this.#low);
      this.#take(channel, this.#low.subarray(0, given), onSpan);
    }
    for (let channel = 0; channel < this.channels; channel++) this.#take(channel, silence, onSpan);
    if (this.#frames % period !== 0) this.#look(onSpan);
    if (this.#open !== undefined) onSpan(this.#open.span);
    this.#open = undefined;
    this.#frames = 0;
    for (const block of this.#blocks) block.fill(0);
    for (const lane of this.#lanes) {
      lane.levels.reset();
      lane.resampler.reset();
      lane.frames = 0;
    }
  }

  /** The payload being received now, if a span is open. */
  get current(): WatermarkSpan | undefined {
    return this.#open?.span;
  }

  /** Adds the levels of a channel's next samples at 16 kHz; the last channel completes a frame. */
  #take(channel: number, samples: Float32Array, onSpan: (span: WatermarkSpan) => void): void {
    const lane = this.#lanes[channel]!;
    const isLast = channel === this.channels - 1;
    lane.levels.push(samples, (_, levels) => {
      const block = this.#blocks[Math.floor(lane.frames / period) % blockCount]!;
      const at = (lane.frames++ % period) * bands;
      if (at === 0 && channel === 0) block.fill(0);
      for (let band = 0; band < bands; band++) block[at + band]! += levels[band]!;
      if (!isLast) return;
      this.#frames = lane.frames;
      if (this.#frames % period === 0) this.#look(onSpan);
    });
  }

  #look(onSpan: (span: WatermarkSpan) => void): void {
    const last = Math.floor((this.#frames - 1) / period);
    for (const count of lookedAt) {
      if (count > last + 1 && count !== lookedAt[0]) break;
      this.#sum.fill(0);
      const first = Math.max(0, last - count + 1);
      for (let i = first; i <= last; i++) {
        const block = this.#blocks[i % blockCount]!;
        for (let j = 0; j < block.length; j++) this.#sum[j]! += block[j]!;
      }
      const found = this.#read();
      if (found === undefined) continue;
      const seconds = detectHop / geometry.sampleRate;
      this.#extend(
        {
          ...found,
          start: (first * period + contextFrames) * seconds,
          end: (this.#frames + contextFrames) * seconds,
        },
        onSpan,
      );
      return;
    }
    const open = this.#open;
    const now = ((this.#frames + contextFrames) * detectHop) / geometry.sampleRate;
    if (open !== undefined && now - open.span.end > 6) {
      onSpan(open.span);
      this.#open = undefined;
    }
  }

  #extend(span: WatermarkSpan, onSpan: (span: WatermarkSpan) => void): void {
    const text = span.payload.join();
    const open = this.#open;
    if (open !== undefined && open.text === text) {
      const better = span.sync > open.span.sync ? span : open.span;
      this.#open = { text, span: { ...better, start: open.span.start, end: span.end } };
      return;
    }
    if (open !== undefined) onSpan(open.span);
    this.#open = { text, span };
  }

  /** Reads a payload from `#sum`, whichever start of the pattern it takes. */
  #read(): Pick<WatermarkSpan, "payload" | "sync" | "bitErrorRate"> | undefined {
    this.#sumSlots();
    const scores = new Float64Array(period);
    for (let start = 0; start < period; start++) scores[start] = this.#syncScore(start);
    const starts = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
    for (const start of starts.slice(0, triedStarts)) {
      if (scores[start]! < leastSync) return undefined;
      const read = this.#readFrom(start);
      if (read !== undefined) return { ...read, sync: scores[start]! };
    }
    return undefined;
  }

  /** Levels of a cell that begins at every frame of the period: running sums over the frames of a slot. */
  #sumSlots(): void {
    for (let band = 0; band < bands; band++) {
      let sum = 0;
      for (let i = 0; i < perSlot; i++) sum += this.#sum[i * bands + band]!;
      for (let frame = 0; frame < period; frame++) {
        this.#slotSums[frame * bands + band] = sum;
        sum += this.#sum[((frame + perSlot) % period) * bands + band]! - this.#sum[frame * bands + band]!;
      }
    }
  }

  /** Correlation of the cells of known sign, divided by its standard deviation for a sound without the mark. */
  #syncScore(start: number): number {
    const origin = start * bands;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < this.#syncPlaces.length; i++) {
      const place = origin + this.#syncPlaces[i]!;
      const level = this.#slotSums[place < period * bands ? place : place - period * bands]!;
      sum += this.#syncSigns[i]! * level;
      squares += level * level;
    }
    return squares > 0 ? sum / Math.sqrt(squares) : 0;
  }

  #readFrom(start: number): { payload: Uint8Array; bitErrorRate: number } | undefined {
    const { signs, bits } = this.#pattern;
    const soft = new Float64Array(this.#code.codeBits);
    for (let slot = 0; slot < slots; slot++) {
      const row = ((start + slot * perSlot) % period) * bands;
      for (let band = 0; band < bands; band++) {
        const cell = slot * bands + band;
        const bit = bits[cell]!;
        if (bit >= 0) soft[bit]! += signs[cell]! * this.#slotSums[row + band]!;
      }
    }
    const read = this.#code.decodeSoft(soft);
    return read && { payload: read.payload, bitErrorRate: read.wrong / soft.length };
  }
}

/** Frames that are worked on at once. */
const blockFrames = 2048;

/** One channel on its way to levels. */
interface Lane {
  readonly resampler: Resampler;
  readonly levels: CellLevels;
  /** Frames counted so far. */
  frames: number;
}
