import { FingerprintError } from "./errors.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import type { LandmarkSettings } from "./landmark-settings.ts";
import {
  type LandmarkSpectrum,
  landmarkBins,
  landmarkFftSize,
  landmarkHop,
  landmarkReach,
} from "./landmark-spectrum.ts";

const rows = 2 * landmarkReach + 1;
const frameLimit = 2 ** 32 - 1;

/** The peaks of one second, in order of (frame, bin). Arrays belong to the picker; read `count` entries. */
export interface PeakBucket {
  readonly frames: Uint32Array;
  readonly bins: Uint16Array;
  readonly decibels: Float32Array;
  count: number;
  /** No later peak has a frame below this. */
  closedBefore: number;
}

/**
 * Streaming peak picker of `wang-v1` and `panako-v2`: a cell is a peak if it is above the floor and not below any cell of
 * the 31 x 31 box around it; of each absolute second (bucket floor(frame / 62.5)) the loudest peaks stay.
 *
 * Only the cells that are maxima of their own row are candidates; each is compared with the row maxima of the 15 frames
 * before and after once those are known.
 */
export class LandmarkPeaks {
  readonly bucket: PeakBucket;
  readonly #spectrum: LandmarkSpectrum;
  readonly #onBucket: () => void;
  readonly #input = new FrameBuffer(landmarkFftSize, landmarkHop);
  readonly #floorDb: number;
  readonly #capacity: number;
  readonly #rowMaxima = new Float32Array(rows * landmarkBins);
  readonly #candidateBins = new Uint16Array(rows * landmarkBins);
  readonly #candidateLevels = new Float32Array(rows * landmarkBins);
  readonly #candidateCounts = new Uint16Array(rows);
  /** Best peaks of the open bucket, loudest first; equal ones in order of arrival. */
  readonly #bestFrames: Uint32Array;
  readonly #bestBins: Uint16Array;
  readonly #bestDecibels: Float32Array;
  #bestCount = 0;
  #openBucket = 0;
  #frameCount = 0;
  #ripeCount = 0;

  /** @param onBucket called when `bucket` holds the peaks of a second that is over, also when there are none */
  constructor(settings: LandmarkSettings, spectrum: LandmarkSpectrum, onBucket: () => void) {
    this.#floorDb = settings.floorDb;
    this.#capacity = settings.peaksPerSecond;
    this.#spectrum = spectrum;
    this.#onBucket = onBucket;
    this.#bestFrames = new Uint32Array(this.#capacity);
    this.#bestBins = new Uint16Array(this.#capacity);
    this.#bestDecibels = new Float32Array(this.#capacity);
    this.bucket = {
      frames: new Uint32Array(this.#capacity),
      bins: new Uint16Array(this.#capacity),
      decibels: new Float32Array(this.#capacity),
      count: 0,
      closedBefore: 0,
    };
  }

  /** Frames analysed so far. */
  get frameCount(): number {
    return this.#frameCount;
  }

  /** Samples that were not finite and counted as 0. */
  get replacedSamples(): number {
    return this.#input.replacedSamples;
  }

  push(samples: Float32Array, start: number, end: number): void {
    const input = this.#input;
    for (let at = start; at < end; ) {
      at += input.write(samples, at, end);
      while (input.ready) {
        this.#spectrum.compute(input.samples, input.frameStart);
        input.advance();
        this.#addRow();
        if (this.#frameCount - this.#ripeCount > landmarkReach) this.#ripen();
      }
    }
  }

  /** Puts into `bucket` what the open second holds so far: louder peaks may still take their places. */
  sort(): void {
    const bucket = this.bucket;
    const count = this.#bestCount;
    for (let i = 0; i < count; i++) {
      const frame = this.#bestFrames[i]!;
      const bin = this.#bestBins[i]!;
      let at = i;
      while (at > 0 && isAfter(bucket.frames[at - 1]!, bucket.bins[at - 1]!, frame, bin)) {
        bucket.frames[at] = bucket.frames[at - 1]!;
        bucket.bins[at] = bucket.bins[at - 1]!;
        bucket.decibels[at] = bucket.decibels[at - 1]!;
        at--;
      }
      bucket.frames[at] = frame;
      bucket.bins[at] = bin;
      bucket.decibels[at] = this.#bestDecibels[i]!;
    }
    bucket.count = count;
  }

  /** Takes the stream as ended: judges the last 15 frames with the rows that exist and closes the open second. */
  flush(): void {
    while (this.#ripeCount < this.#frameCount) this.#ripen();
    this.#closeBucket(this.#frameCount);
  }

  reset(): void {
    this.#input.reset();
    this.#bestCount = 0;
    this.#openBucket = 0;
    this.#frameCount = 0;
    this.#ripeCount = 0;
    this.bucket.count = 0;
    this.bucket.closedBefore = 0;
  }

  #addRow(): void {
    if (this.#frameCount >= frameLimit) {
      throw new FingerprintError(
        "fp/limit",
        "A stream ends after 2^32 - 1 frames (795 days); call reset() to begin a new one.",
      );
    }
    const slot = this.#frameCount % rows;
    const base = slot * landmarkBins;
    const { levels, rowMaximum } = this.#spectrum;
    this.#rowMaxima.set(rowMaximum, base);
    let count = 0;
    for (let k = 0; k < landmarkBins; k++) {
      if (levels[k]! < rowMaximum[k]!) continue;
      this.#candidateBins[base + count] = k;
      this.#candidateLevels[base + count] = levels[k]!;
      count++;
    }
    this.#candidateCounts[slot] = count;
    this.#frameCount++;
  }

  /** Judges the candidates of the oldest frame that has not been judged. */
  #ripen(): void {
    const frame = this.#ripeCount++;
    const bucketIndex = Math.floor((frame * 2) / 125);
    if (bucketIndex !== this.#openBucket) {
      this.#closeBucket(frame);
      this.#openBucket = bucketIndex;
    }
    const base = (frame % rows) * landmarkBins;
    const count = this.#candidateCounts[frame % rows]!;
    for (let i = 0; i < count; i++) {
      if (!this.#isBoxMaximum(frame, base + i)) continue;
      if (this.#candidateLevels[base + i]! > this.#floorDb) this.#keep(frame, base + i);
    }
  }

  #isBoxMaximum(frame: number, candidate: number): boolean {
    const maxima = this.#rowMaxima;
    const bin = this.#candidateBins[candidate]!;
    const level = this.#candidateLevels[candidate]!;
    const last = this.#frameCount - 1;
    for (let distance = 1; distance <= landmarkReach; distance++) {
      const before = frame - distance;
      if (before >= 0 && maxima[(before % rows) * landmarkBins + bin]! > level) return false;
      const after = frame + distance;
      if (after <= last && maxima[(after % rows) * landmarkBins + bin]! > level) return false;
    }
    return true;
  }

  /** Keeps the candidate if it is among the loudest of the open bucket. */
  #keep(frame: number, candidate: number): void {
    const best = this.#bestDecibels;
    const bin = this.#candidateBins[candidate]!;
    const decibels = this.#candidateLevels[candidate]!;
    let at = this.#bestCount;
    if (at === this.#capacity) {
      if (decibels <= best[at - 1]!) return;
      at--;
    } else this.#bestCount++;
    while (at > 0 && best[at - 1]! < decibels) {
      best[at] = best[at - 1]!;
      this.#bestFrames[at] = this.#bestFrames[at - 1]!;
      this.#bestBins[at] = this.#bestBins[at - 1]!;
      at--;
    }
    best[at] = decibels;
    this.#bestFrames[at] = frame;
    this.#bestBins[at] = bin;
  }

  #closeBucket(closedBefore: number): void {
    this.sort();
    this.bucket.closedBefore = closedBefore;
    this.#bestCount = 0;
    this.#onBucket();
  }
}

function isAfter(frameA: number, binA: number, frameB: number, binB: number): boolean {
  return frameA > frameB || (frameA === frameB && binA > binB);
}
