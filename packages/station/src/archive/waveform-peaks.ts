import { crc32c } from "@longwave/base";
import { StationError } from "../errors.ts";

/** Sample frames of one bin: 100 ms at 48 kHz. */
export const peakBinFrames = 4800;
/** A bin of the coarse level covers so many fine ones: 10 s. */
const coarseStep = 100;
const headerBytes = 16;
/** 31 days of bins: more than any recording has. */
const maxBins = 31 * 864_000;

/** Loudest sample and RMS of equal steps of time, 0 to 255 (255 is full scale). */
export interface PeakRow {
  readonly peak: Uint8Array;
  readonly rms: Uint8Array;
}

/**
 * The outline of a recording: loudest sample and RMS of every 100 ms, and of every 10 s for wide views. It is made while the
 * recording is, so that a timeline of days costs no decoding.
 *
 * Stored form, little-endian: `LWPK`, u8 version 1, u8 0, u16 sample frames of a bin, u32 bins, u32 CRC32C of the bins, then two
 * bytes a bin (peak, RMS).
 */
export class WaveformPeaks {
  #fine = new Uint8Array(2 * 4096);
  #coarse = new Uint8Array(2 * 64);
  #bins = 0;

  /** Bins so far. */
  get bins(): number {
    return this.#bins;
  }

  /** Adds what was heard at sample frame `frame`: largest absolute sample and mean square, full scale 1. Bins only grow. */
  add(frame: number, peak: number, meanSquare: number): void {
    const bin = Math.floor(frame / peakBinFrames);
    if (!(bin >= 0 && bin < maxBins)) return;
    if (bin >= this.#bins) this.#grow(bin + 1);
    raise(this.#fine, bin, toByte(peak), toByte(Math.sqrt(meanSquare)));
    raise(this.#coarse, Math.floor(bin / coarseStep), toByte(peak), toByte(Math.sqrt(meanSquare)));
  }

  /**
   * The outline of `[fromFrame, toFrame)` in `columns` equal steps. Steps narrower than a bin repeat it; where nothing was recorded
   * there is 0.
   */
  row(fromFrame: number, toFrame: number, columns: number): PeakRow {
    const peak = new Uint8Array(columns);
    const rms = new Uint8Array(columns);
    const step = (toFrame - fromFrame) / columns;
    const isWide = step >= 4 * coarseStep * peakBinFrames;
    const source = isWide ? this.#coarse : this.#fine;
    const binFrames = isWide ? coarseStep * peakBinFrames : peakBinFrames;
    const bins = isWide ? Math.ceil(this.#bins / coarseStep) : this.#bins;
    for (let column = 0; column < columns; column++) {
      const first = Math.max(0, Math.floor((fromFrame + column * step) / binFrames));
      const end = Math.max(first + 1, Math.ceil((fromFrame + (column + 1) * step) / binFrames));
      for (let bin = first; bin < Math.min(end, bins); bin++) {
        peak[column] = Math.max(peak[column]!, source[2 * bin]!);
        rms[column] = Math.max(rms[column]!, source[2 * bin + 1]!);
      }
    }
    return { peak, rms };
  }

  /** The stored form. */
  encode(): Uint8Array {
    const body = this.#fine.subarray(0, 2 * this.#bins);
    const bytes = new Uint8Array(headerBytes + body.length);
    bytes.set([0x4c, 0x57, 0x50, 0x4b, 1, 0]);
    const view = new DataView(bytes.buffer);
    view.setUint16(6, peakBinFrames, true);
    view.setUint32(8, this.#bins, true);
    view.setUint32(12, crc32c(body), true);
    bytes.set(body, headerBytes);
    return bytes;
  }

  /** @throws StationError `station/damaged-peaks` for anything but a whole stored form of this version */
  static decode(bytes: Uint8Array): WaveformPeaks {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const bad = (what: string) =>
      new StationError("station/damaged-peaks", "malformed", `The stored outline ${what}; it is made anew.`);
    if (bytes.length < headerBytes || view.getUint32(0) !== 0x4c57504b) throw bad("has no header");
    if (view.getUint8(4) !== 1 || view.getUint16(6, true) !== peakBinFrames) {
      throw bad(`has version ${view.getUint8(4)}, this program reads 1`);
    }
    const bins = view.getUint32(8, true);
    const body = bytes.subarray(headerBytes);
    if (bins > maxBins || body.length !== 2 * bins || crc32c(body) !== view.getUint32(12, true)) {
      throw bad("is damaged");
    }
    const peaks = new WaveformPeaks();
    peaks.#grow(bins);
    peaks.#fine.set(body);
    for (let bin = 0; bin < bins; bin++) {
      raise(peaks.#coarse, Math.floor(bin / coarseStep), body[2 * bin]!, body[2 * bin + 1]!);
    }
    return peaks;
  }

  #grow(bins: number): void {
    this.#bins = Math.max(this.#bins, bins);
    this.#fine = withRoom(this.#fine, 2 * this.#bins);
    this.#coarse = withRoom(this.#coarse, 2 * Math.ceil(this.#bins / coarseStep));
  }
}

function withRoom(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (bytes.length >= length) return bytes;
  const grown = new Uint8Array(Math.max(length, 2 * bytes.length));
  grown.set(bytes);
  return grown;
}

function raise(levels: Uint8Array, bin: number, peak: number, rms: number): void {
  levels[2 * bin] = Math.max(levels[2 * bin]!, peak);
  levels[2 * bin + 1] = Math.max(levels[2 * bin + 1]!, rms);
}

function toByte(level: number): number {
  return Math.min(255, Math.round(level * 255));
}
