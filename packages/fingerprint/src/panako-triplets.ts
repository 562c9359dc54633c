import type { PeakBucket } from "./landmark-peaks.ts";
import type { LandmarkSettings } from "./landmark-settings.ts";
import { PendingPeaks } from "./pending-peaks.ts";
import type { RecordBuffer } from "./record-buffer.ts";

/**
 * Joins three peaks a, b, c into a hash that survives a change of tempo: J. Six, M. Leman, "Panako: a scalable acoustic
 * fingerprinting system handling time-scale and pitch modification", ISMIR 2014, in the layout of audiofp 0.4.
 */
export class PanakoTriplets {
  readonly #settings: LandmarkSettings;
  readonly #peaks: PendingPeaks;
  /** The best pairs of the current anchor, best first. */
  readonly #second: Int32Array;
  readonly #third: Int32Array;
  readonly #sums: Float32Array;
  readonly #zone: Int32Array;

  constructor(settings: LandmarkSettings) {
    this.#settings = settings;
    this.#peaks = new PendingPeaks(settings.peaksPerSecond, settings.zoneFrames);
    this.#second = new Int32Array(settings.fanOut);
    this.#third = new Int32Array(settings.fanOut);
    this.#sums = new Float32Array(settings.fanOut);
    this.#zone = new Int32Array(2 * settings.fanOut);
  }

  /** Takes the peaks of a closed second and joins every anchor whose zone is complete. */
  add(bucket: PeakBucket, out: RecordBuffer): void {
    const peaks = this.#peaks;
    peaks.add(bucket);
    const complete = bucket.closedBefore - this.#settings.zoneFrames;
    let anchor = peaks.nextAnchor;
    while (anchor < peaks.count && peaks.frames[anchor]! < complete) this.#join(anchor++, out);
    peaks.nextAnchor = anchor;
  }

  /** Joins every anchor that is left with what there is, the open second included. All stays as it was. */
  rest(bucket: PeakBucket, out: RecordBuffer): void {
    const peaks = this.#peaks;
    const { count } = peaks;
    peaks.append(bucket);
    for (let anchor = peaks.nextAnchor; anchor < peaks.count; anchor++) this.#join(anchor, out);
    peaks.count = count;
  }

  reset(): void {
    this.#peaks.clear();
  }

  #join(anchor: number, out: RecordBuffer): void {
    const zoneCount = this.#collectZone(anchor);
    const { decibels, frames } = this.#peaks;
    const zone = this.#zone;
    const { fanOut } = this.#settings;
    let found = 0;
    for (let i = 0; i < zoneCount; i++) {
      for (let j = i + 1; j < zoneCount; j++) {
        const sum = Math.fround(decibels[zone[i]!]! + decibels[zone[j]!]!);
        let at = found;
        if (at === fanOut) {
          if (sum <= this.#sums[at - 1]!) continue;
          at--;
        } else found++;
        while (at > 0 && this.#sums[at - 1]! < sum) {
          this.#sums[at] = this.#sums[at - 1]!;
          this.#second[at] = this.#second[at - 1]!;
          this.#third[at] = this.#third[at - 1]!;
          at--;
        }
        this.#sums[at] = sum;
        this.#second[at] = zone[i]!;
        this.#third[at] = zone[j]!;
      }
    }
    for (let k = 0; k < found; k++) {
      const b = this.#second[k]!;
      const c = this.#third[k]!;
      out.add4(this.#hash(anchor, b, c), frames[anchor]!, frames[b]!, frames[c]!);
    }
  }

  /**
   * The 2 x fanOut loudest peaks of the zone, in order of (frame, bin): the fanOut pairs of largest sum are among them.
   */
  #collectZone(anchor: number): number {
    const { frames, bins, decibels, count } = this.#peaks;
    const { zoneFrames, zoneBins } = this.#settings;
    const zone = this.#zone;
    let found = 0;
    for (let i = anchor + 1; i < count; i++) {
      const distance = frames[i]! - frames[anchor]!;
      if (distance >= zoneFrames) break;
      if (distance < 1 || Math.abs(bins[i]! - bins[anchor]!) >= zoneBins) continue;
      if (found < zone.length) {
        zone[found++] = i;
        continue;
      }
      let weakest = 0;
      for (let k = 1; k < found; k++) if (decibels[zone[k]!]! <= decibels[zone[weakest]!]!) weakest = k;
      if (decibels[i]! <= decibels[zone[weakest]!]!) continue;
      zone.copyWithin(weakest, weakest + 1, found);
      zone[found - 1] = i;
    }
    return found;
  }

  #hash(a: number, b: number, c: number): number {
    const { frames, bins, decibels } = this.#peaks;
    const fa = bins[a]!;
    const fb = bins[b]!;
    const fc = bins[c]!;
    const sign = (fb >= fa ? 1 : 0) | (fc >= fb ? 2 : 0);
    const order =
      decibels[a]! >= decibels[b]! && decibels[a]! >= decibels[c]! ? 0 : decibels[b]! >= decibels[c]! ? 1 : 2;
    const span = Math.max(1, frames[c]! - frames[a]!);
    const ratio = Math.fround((frames[c]! - frames[b]!) / span);
    const beta = Math.min(31, Math.trunc(Math.fround(Math.fround(ratio * 31) + 0.5)));
    const difference1 = clampToByte(fb - fa);
    const difference2 = clampToByte(fc - fb);
    return ((sign << 30) | (order << 28) | (beta << 23) | (difference1 << 15) | (difference2 << 7)) >>> 0;
  }
}

function clampToByte(value: number): number {
  return Math.min(127, Math.max(-127, value)) & 255;
}
