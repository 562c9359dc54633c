import { createWindow, RealFft } from "@longwave/dsp";
import { ByteFanOut, type Listener } from "./byte-queue.ts";
import { placesTaken } from "./listeners.ts";
import { framesToMs, stationChannels, stationRateHz } from "./sound.ts";
import type { SoundSink } from "./stages.ts";

const windowLength = 4096;
/** 32 ms: 31.25 columns a second. */
const hop = 1536;
const rows = 192;
const lowHz = 50;
const highHz = 12_000;
/** Levels of the picture: 0 is this, 255 is `topDb`. */
const floorDb = -96;
const topDb = -16;
const maxViewers = 64;
/** About 4 s of picture for a slow viewer. */
const maxQueued = 128;

/** Picture kept for those who come later: 20 s. */
const historyMessages = 625;

const columnType = 1;
const peakType = 2;

/**
 * Draws the received sound for those who look: columns of a spectrogram on a logarithmic scale of frequency, the peaks that
 * identification works with, and levels; as small binary messages (docs/design/server.md).
 */
export class Scope implements SoundSink {
  readonly #viewers = new ByteFanOut(maxViewers, maxQueued, placesTaken);
  readonly #samples = new Float64Array(windowLength);
  readonly #fft = new RealFft(windowLength);
  readonly #window = createWindow("hann", windowLength);
  readonly #power = new Float64Array(windowLength / 2 + 1);
  readonly #edges: Float64Array;
  readonly #history: Uint8Array[] = [];
  #peaks: number[] = [];
  #untilColumn = hop;
  #peakLevel = 0;
  #square = 0;

  constructor() {
    this.#edges = rowEdges();
  }

  get viewers(): number {
    return this.#viewers.count;
  }

  /** Begins with the picture of the last 20 s. @throws StationError `station/too-many-listeners` */
  join(): Listener {
    return this.#viewers.join(concatenate(this.#history));
  }

  /** The first message: "LWSC", version 1, rows, ms of a column, lowest and highest Hz. */
  header(): Uint8Array {
    const bytes = new Uint8Array(12);
    bytes.set(new TextEncoder().encode("LWSC"));
    const view = new DataView(bytes.buffer);
    view.setUint8(4, 1);
    view.setUint8(5, rows);
    view.setUint16(6, (hop * 1000) / stationRateHz, true);
    view.setUint16(8, lowHz, true);
    view.setUint16(10, highHz, true);
    return bytes;
  }

  /** A spectral peak of the identification, to be drawn where it belongs. */
  addPeak(atMs: number, hz: number, decibels: number): void {
    if (this.#peaks.length < 3 * 300) this.#peaks.push(atMs, hz, decibels);
  }

  write(block: Float32Array, startFrame: number): void {
    const frames = block.length / stationChannels;
    const samples = this.#samples;
    samples.copyWithin(0, frames);
    const base = windowLength - frames;
    for (let i = 0; i < frames; i++) {
      const left = block[2 * i]!;
      const right = block[2 * i + 1]!;
      samples[base + i] = (left + right) / 2;
      this.#peakLevel = Math.max(this.#peakLevel, Math.abs(left), Math.abs(right));
      this.#square += (left * left + right * right) / 2;
    }
    this.#untilColumn -= frames;
    if (this.#untilColumn > 0) return;
    this.#untilColumn += hop;
    const message = this.#message(framesToMs(startFrame + frames));
    this.#history.push(message);
    if (this.#history.length > historyMessages) this.#history.shift();
    this.#viewers.push(message);
    this.#peakLevel = 0;
    this.#square = 0;
  }

  close(): void {
    this.#viewers.close();
  }

  /** One column (type, ms, peak, RMS, levels), then the peaks that became known since (type, ms, Hz, level). */
  #message(atMs: number): Uint8Array {
    const peaks = this.#peaks;
    const bytes = new Uint8Array(7 + rows + (peaks.length / 3) * 8);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, columnType);
    view.setUint32(1, atMs, true);
    view.setUint8(5, Math.min(255, Math.round(this.#peakLevel * 255)));
    view.setUint8(6, levelByte(10 * Math.log10(this.#square / hop + 1e-12)));
    this.#column(bytes.subarray(7, 7 + rows));
    for (let i = 0, at = 7 + rows; i < peaks.length; i += 3, at += 8) {
      view.setUint8(at, peakType);
      view.setUint32(at + 1, peaks[i]!, true);
      view.setUint16(at + 5, Math.round(peaks[i + 1]!), true);
      view.setUint8(at + 7, Math.max(0, Math.min(255, Math.round(2 * peaks[i + 2]! + 128))));
    }
    this.#peaks = [];
    return bytes;
  }

  #column(out: Uint8Array): void {
    const { input, re, im } = this.#fft;
    for (let i = 0; i < windowLength; i++) input[i] = this.#samples[i]! * this.#window[i]!;
    this.#fft.transform();
    for (let k = 0; k < this.#power.length; k++) this.#power[k] = re[k]! * re[k]! + im[k]! * im[k]!;
    // A full-scale sine reaches (N/4)^2 under the Hann window.
    const scale = 16 / (windowLength * windowLength);
    for (let row = 0; row < rows; row++) {
      const from = this.#edges[row]!;
      const to = this.#edges[row + 1]!;
      let power = 0;
      for (let bin = Math.ceil(from); bin < to; bin++) power = Math.max(power, this.#power[bin]!);
      if (power === 0) {
        const bin = Math.floor(from);
        power = this.#power[bin]! + (this.#power[bin + 1]! - this.#power[bin]!) * (from - bin);
      }
      out[row] = levelByte(10 * Math.log10(power * scale + 1e-12));
    }
  }
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function levelByte(decibels: number): number {
  return Math.max(0, Math.min(255, Math.round(((decibels - floorDb) / (topDb - floorDb)) * 255)));
}

/** Bins (fractional) of the rows' edges: equal steps of pitch from `lowHz` to `highHz`. */
function rowEdges(): Float64Array {
  const ratio = Math.log(highHz / lowHz) / rows;
  return Float64Array.from(
    { length: rows + 1 },
    (_, row) => (lowHz * Math.exp(ratio * row) * windowLength) / stationRateHz,
  );
}
