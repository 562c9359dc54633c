import { Resampler } from "@longwave/dsp";
import { FingerprintError } from "../errors.ts";
import { geometry } from "./geometry.ts";
import { InformedMarker, latency } from "./informed-marker.ts";
import { MessageCode, type PayloadBytes } from "./message.ts";
import { patternOf } from "./pattern.ts";

const { embedHop: hop } = geometry;
/** Groups into which the cells of the synchronisation are put, of about as many cells as a bit has. */
const syncGroups = 42;

export interface WatermarkEmbedOptions {
  /** Rate of the sound in Hz, 8,000 to 192,000. */
  readonly sampleRate: number;
  /** Interleaved channels, 1 to 8; default 1. All carry the same mark. */
  readonly channels?: number;
  /** Secret of 1 byte or more, or a text (UTF-8). */
  readonly key: Uint8Array | string;
  /** What the mark says: 4 or 8 bytes. */
  readonly payload: Uint8Array;
  /** Signal to mark in dB, of every frame; 24 to 60, default 30.3. Less is more robust and more audible. */
  readonly signalToMark?: number;
}

/**
 * Puts a keyed mark into a stream of sound (`keymark-v1`, docs/design/watermark.md). Equal samples and options give
 * equal bits for every cut of the stream, and on every machine.
 *
 * @example
 * const embedder = new WatermarkEmbedder({ sampleRate: 48000, key: "secret", payload: Uint8Array.of(0, 0, 1, 7) });
 * const count = embedder.process(samples, output); // and at the end: embedder.flush(output)
 */
export class WatermarkEmbedder {
  readonly sampleRate: number;
  readonly channels: number;
  readonly #lanes: ChannelMarker[] = [];
  readonly #lane: Float32Array;
  readonly #marked: Float32Array;

  /** @throws FingerprintError `watermark/payload`, `watermark/key`, `fp/rate`, `fp/channels`, `fp/settings` */
  constructor(options: WatermarkEmbedOptions) {
    const channels = options.channels ?? 1;
    const signalToMark = options.signalToMark ?? 30.3;
    requireRange("fp/rate", "The sample rate", options.sampleRate, 8000, 192_000);
    requireRange("fp/channels", "The number of channels", channels, 1, 8);
    if (!(signalToMark >= 24 && signalToMark <= 60)) {
      throw new FingerprintError(
        "fp/settings",
        `The signal-to-mark ratio is 24 to 60 dB, not ${signalToMark}.`,
      );
    }
    const key = keyBytes(options.key);
    const message = new MessageCode(key, payloadBytesOf(options.payload));
    const word = message.encode(options.payload);
    const pattern = patternOf(key, message.codeBits);
    const chips = pattern.signs.map((sign, cell) => {
      const bit = pattern.bits[cell]!;
      return bit >= 0 && word[bit] === 0 ? -sign : sign;
    });
    this.sampleRate = options.sampleRate;
    this.channels = channels;
    this.#lane = new Float32Array(blockFrames);
    const strength = { energyRatio: decibelsToRatio(-signalToMark), largestChange: 0.5 };
    let next = 0;
    const groups = pattern.bits.map((bit) => (bit >= 0 ? bit : message.codeBits + (next++ % syncGroups)));
    for (let channel = 0; channel < channels; channel++) {
      const marker = new InformedMarker(chips, groups, message.codeBits + syncGroups, strength);
      this.#lanes.push(new ChannelMarker(options.sampleRate, marker));
    }
    this.#marked = new Float32Array(this.#lanes[0]!.maxOutput(blockFrames));
  }

  /** Frames that `process` of `frames` frames, or `flush` (without argument), can give at most. */
  maxOutputFrames(frames = 0): number {
    return this.#lanes[0]!.maxOutput(frames);
  }

  /**
   * Takes interleaved frames and writes the marked frames that are ready: as many as came in, less a latency of 2.4 s.
   * Samples that are not finite count as 0.
   * @param input whole frames, not kept
   * @param output room for `maxOutputFrames(input frames)` frames; may not overlap the input
   * @returns frames written
   */
  process(input: Float32Array, output: Float32Array): number {
    const frames = Math.floor(input.length / this.channels);
    let written = 0;
    for (let at = 0; at < frames; at += blockFrames) {
      const count = Math.min(blockFrames, frames - at);
      let given = 0;
      for (let channel = 0; channel < this.channels; channel++) {
        for (let i = 0; i < count; i++) {
          const value = input[(at + i) * this.channels + channel]!;
          this.#lane[i] = value - value === 0 ? value : 0;
        }
        given = this.#lanes[channel]!.process(this.#lane, count, this.#marked);
        this.#interleave(channel, given, output, written);
      }
      written += given;
    }
    return written;
  }

  /** Writes the rest; the sound is over and `process` starts another one. */
  flush(output: Float32Array): number {
    let given = 0;
    const rest = new Float32Array(this.maxOutputFrames());
    for (let channel = 0; channel < this.channels; channel++) {
      given = this.#lanes[channel]!.flush(rest);
      for (let i = 0; i < given; i++) output[i * this.channels + channel] = rest[i]!;
    }
    return given;
  }

  #interleave(channel: number, count: number, output: Float32Array, from: number): void {
    for (let i = 0; i < count; i++) output[(from + i) * this.channels + channel] = this.#marked[i]!;
  }
}

/** Frames that are worked on at once. */
const blockFrames = 2048;

/** One channel: its sound waits in `#waiting` until the mark for it, made at 16 kHz, has come back to its own rate. */
class ChannelMarker {
  readonly #down: Resampler;
  readonly #up: Resampler;
  readonly #marker: InformedMarker;
  readonly #low: Float32Array;
  readonly #marks: Float32Array;
  readonly #waiting: Float32Array;
  #lowCount = 0;
  #waitingCount = 0;

  constructor(sampleRate: number, marker: InformedMarker) {
    const low = geometry.sampleRate;
    this.#down = new Resampler({ from: sampleRate, to: low });
    this.#up = new Resampler({ from: low, to: sampleRate });
    this.#marker = marker;
    this.#low = new Float32Array(
      hop + Math.max(this.#down.maxOutputFrames(blockFrames), this.#down.maxOutputFrames()),
    );
    this.#marks = new Float32Array(this.#up.maxOutputFrames(hop));
    this.#waiting = new Float32Array(this.maxOutput(blockFrames));
  }

  maxOutput(frames: number): number {
    const { lookaheadFrames, from, to } = this.#down;
    const waiting = lookaheadFrames + ((this.#up.lookaheadFrames + latency + hop) * from) / to;
    return frames + Math.ceil(waiting) + blockFrames;
  }

  process(samples: Float32Array, count: number, output: Float32Array): number {
    const input = count === samples.length ? samples : samples.subarray(0, count);
    this.#waiting.set(input, this.#waitingCount);
    this.#waitingCount += count;
    return this.#take(this.#down.process(input, this.#resampled()), output, 0);
  }

  flush(output: Float32Array): number {
    let written = this.#take(this.#down.flush(this.#resampled()), output, 0);
    while (this.#waitingCount > 0) {
      this.#low.fill(0, this.#lowCount, hop);
      written = this.#take(hop - this.#lowCount, output, written);
    }
    this.#lowCount = 0;
    this.#down.reset();
    this.#up.reset();
    this.#marker.reset();
    return written;
  }

  #resampled(): Float32Array {
    return this.#low.subarray(this.#lowCount);
  }

  /** Takes `count` new samples of `#low`; returns where the output now ends. */
  #take(count: number, output: Float32Array, from: number): number {
    let written = from;
    this.#lowCount += count;
    let start = 0;
    for (; this.#lowCount - start >= hop; start += hop) {
      this.#marker.push(this.#low, start, (mark) => {
        const marks = this.#up.process(mark, this.#marks);
        written = this.#give(Math.min(marks, this.#waitingCount), output, written);
      });
    }
    this.#low.copyWithin(0, start, this.#lowCount);
    this.#lowCount -= start;
    return written;
  }

  /** Adds `count` marks to the sound that has waited longest. */
  #give(count: number, output: Float32Array, from: number): number {
    for (let i = 0; i < count; i++) output[from + i] = this.#waiting[i]! + this.#marks[i]!;
    this.#waiting.copyWithin(0, count, this.#waitingCount);
    this.#waitingCount -= count;
    return from + count;
  }
}

/** 10^(decibels / 10) by repeated square roots of ten: the same bits on every engine. */
function decibelsToRatio(decibels: number): number {
  let ratio = 1;
  let rest = Math.abs(decibels) / 10;
  let step = 10;
  for (let i = 0; i < 40; i++) {
    while (rest >= 1) {
      ratio *= step;
      rest -= 1;
    }
    rest *= 2;
    step = Math.sqrt(step);
  }
  return decibels < 0 ? 1 / ratio : ratio;
}

/** The bytes of a key. @throws FingerprintError `watermark/key` for an empty one */
export function keyBytes(key: Uint8Array | string): Uint8Array {
  const bytes = typeof key === "string" ? new TextEncoder().encode(key) : key;
  if (bytes.length === 0) throw new FingerprintError("watermark/key", "The key is empty.");
  return bytes;
}

function payloadBytesOf(payload: Uint8Array): PayloadBytes {
  if (payload.length === 4 || payload.length === 8) return payload.length;
  throw new FingerprintError("watermark/payload", `A payload has 4 or 8 bytes, not ${payload.length}.`);
}

export function requireRange(
  code: "fp/rate" | "fp/channels",
  name: string,
  value: number,
  least: number,
  most: number,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new FingerprintError(code, `${name} is a whole number from ${least} to ${most}, not ${value}.`);
}
