import type { PeakBucket } from "./landmark-peaks.ts";
import type { LandmarkSettings } from "./landmark-settings.ts";
import { PendingPeaks } from "./pending-peaks.ts";
import type { RecordBuffer } from "./record-buffer.ts";

/** Bits of a `wang-v1` hash: anchor frequency 9, target frequency 9, frames between them 14. */
export function wangHash(anchorBin: number, targetBin: number, frames: number): number {
  const anchor = Math.floor((512 * anchorBin) / 513);
  const target = Math.floor((512 * targetBin) / 513);
  return ((anchor << 23) | (target << 14) | Math.min(frames, 16_383)) >>> 0;
}

/** The fields of a `wang-v1` hash. */
export function parseWangHash(hash: number): { anchor: number; target: number; frames: number } {
  return { anchor: hash >>> 23, target: (hash >>> 14) & 511, frames: hash & 16_383 };
}

/**
 * Pairs each peak with the loudest peaks of its target zone: A. Wang, "An Industrial-Strength Audio Search Algorithm",
 * ISMIR 2003. An anchor is paired once all seconds that its zone touches are closed.
 */
export class WangPairs {
  readonly #settings: LandmarkSettings;
  readonly #peaks: PendingPeaks;
  readonly #targets: Int32Array;

  constructor(settings: LandmarkSettings) {
    this.#settings = settings;
    this.#peaks = new PendingPeaks(settings.peaksPerSecond, settings.zoneFrames);
    this.#targets = new Int32Array(settings.fanOut);
  }

  /** Takes the peaks of a closed second and pairs every anchor whose zone is complete. */
  add(bucket: PeakBucket, out: RecordBuffer): void {
    const peaks = this.#peaks;
    peaks.add(bucket);
    const complete = bucket.closedBefore - this.#settings.zoneFrames;
    let anchor = peaks.nextAnchor;
    while (anchor < peaks.count && peaks.frames[anchor]! < complete) this.#pair(anchor++, out);
    peaks.nextAnchor = anchor;
  }

  /** Pairs every anchor that is left with what there is, the open second included. All stays as it was. */
  rest(bucket: PeakBucket, out: RecordBuffer): void {
    const peaks = this.#peaks;
    const { count } = peaks;
    peaks.append(bucket);
    for (let anchor = peaks.nextAnchor; anchor < peaks.count; anchor++) this.#pair(anchor, out);
    peaks.count = count;
  }

  reset(): void {
    this.#peaks.clear();
  }

  #pair(anchor: number, out: RecordBuffer): void {
    const { frames, bins, decibels, count } = this.#peaks;
    const { fanOut, zoneFrames, zoneBins } = this.#settings;
    const targets = this.#targets;
    const anchorFrame = frames[anchor]!;
    const anchorBin = bins[anchor]!;
    let found = 0;
    for (let i = anchor + 1; i < count; i++) {
      const distance = frames[i]! - anchorFrame;
      if (distance > zoneFrames) break;
      if (distance < 1 || Math.abs(bins[i]! - anchorBin) > zoneBins) continue;
      // Loudest first; among equals the earlier one, which came first, stays in front.
      let at = found;
      if (at === fanOut) {
        if (decibels[i]! <= decibels[targets[at - 1]!]!) continue;
        at--;
      } else found++;
      while (at > 0 && decibels[targets[at - 1]!]! < decibels[i]!) {
        targets[at] = targets[at - 1]!;
        at--;
      }
      targets[at] = i;
    }
    for (let k = 0; k < found; k++) {
      const target = targets[k]!;
      out.add2(wangHash(anchorBin, bins[target]!, frames[target]! - anchorFrame), anchorFrame);
    }
  }
}
