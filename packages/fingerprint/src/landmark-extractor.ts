import { configHash } from "./config-hash.ts";
import type { PeakSink } from "./fingerprint.ts";
import { LandmarkPeaks } from "./landmark-peaks.ts";
import type { LandmarkSettings } from "./landmark-settings.ts";
import { landmarkSettings, panakoDefaults, wangDefaults } from "./landmark-settings.ts";
import { LandmarkKernel, type LandmarkSpectrum } from "./landmark-spectrum.ts";
import { PanakoTriplets } from "./panako-triplets.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { WangPairs } from "./wang-pairs.ts";

/** Streaming extraction of the two landmark profiles: peaks, then pairs or triplets. */
export class LandmarkExtractor {
  readonly configHash: string;
  readonly records: RecordBuffer;
  readonly #peaks: LandmarkPeaks;
  readonly #combiner: WangPairs | PanakoTriplets;
  readonly #onPeak: PeakSink | undefined;

  /** @param spectrum the kernel; default the WASM kernel */
  constructor(
    profile: "wang-v1" | "panako-v2",
    wanted: Partial<LandmarkSettings> | undefined,
    onPeak: PeakSink | undefined,
    spectrum: LandmarkSpectrum = new LandmarkKernel(),
  ) {
    const settings = landmarkSettings(profile === "wang-v1" ? wangDefaults : panakoDefaults, wanted);
    this.configHash = configHash({ profile, ...settings });
    this.records = new RecordBuffer(profile === "wang-v1" ? 2 : 4);
    this.#combiner = profile === "wang-v1" ? new WangPairs(settings) : new PanakoTriplets(settings);
    this.#onPeak = onPeak;
    this.#peaks = new LandmarkPeaks(settings, spectrum, () => this.#takeBucket());
  }

  get replacedSamples(): number {
    return this.#peaks.replacedSamples;
  }

  push(samples: Float32Array, start: number, end: number): void {
    this.#peaks.push(samples, start, end);
  }

  flush(): void {
    this.#peaks.flush();
    // The last second is closed, so that nothing is open.
    this.preview();
    this.#combiner.reset();
  }

  preview(): void {
    this.#peaks.sort();
    this.#combiner.rest(this.#peaks.bucket, this.records);
  }

  reset(): void {
    this.#peaks.reset();
    this.#combiner.reset();
    this.records.clear();
  }

  #takeBucket(): void {
    const bucket = this.#peaks.bucket;
    const onPeak = this.#onPeak;
    if (onPeak !== undefined) {
      for (let i = 0; i < bucket.count; i++) {
        onPeak(bucket.frames[i]!, bucket.bins[i]!, bucket.decibels[i]!);
      }
    }
    this.#combiner.add(bucket, this.records);
  }
}
