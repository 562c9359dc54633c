import type { PeakBucket } from "./landmark-peaks.ts";

/**
 * The peaks that may still be anchor or target of a pair, in order of (frame, bin). Peaks of whole seconds come in; those
 * that no open anchor can reach leave.
 */
export class PendingPeaks {
  readonly frames: Uint32Array;
  readonly bins: Uint16Array;
  readonly decibels: Float32Array;
  /** Number of peaks held. */
  count = 0;
  /** Peaks below this index have been used as anchors. */
  nextAnchor = 0;

  /** @param peaksPerSecond most peaks of a bucket @param zoneFrames how far a target may lie ahead */
  constructor(peaksPerSecond: number, zoneFrames: number) {
    // Anchors wait for at most zoneFrames, so the buckets that these span, one at either end and the new one are held.
    const capacity = peaksPerSecond * (Math.ceil((zoneFrames * 2) / 125) + 4);
    this.frames = new Uint32Array(capacity);
    this.bins = new Uint16Array(capacity);
    this.decibels = new Float32Array(capacity);
  }

  /** Appends a closed bucket after forgetting the used anchors: targets always lie after their anchor. */
  add(bucket: PeakBucket): void {
    if (this.nextAnchor > 0) {
      this.frames.copyWithin(0, this.nextAnchor, this.count);
      this.bins.copyWithin(0, this.nextAnchor, this.count);
      this.decibels.copyWithin(0, this.nextAnchor, this.count);
      this.count -= this.nextAnchor;
      this.nextAnchor = 0;
    }
    this.append(bucket);
  }

  /** Appends the peaks of a second that may still change; set `count` back to forget them. */
  append(bucket: PeakBucket): void {
    for (let i = 0; i < bucket.count; i++) {
      this.frames[this.count] = bucket.frames[i]!;
      this.bins[this.count] = bucket.bins[i]!;
      this.decibels[this.count] = bucket.decibels[i]!;
      this.count++;
    }
  }

  clear(): void {
    this.count = 0;
    this.nextAnchor = 0;
  }
}
