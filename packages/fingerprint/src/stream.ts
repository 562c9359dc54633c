import { FingerprintError } from "./errors.ts";
import type { PeakSink, RecordSink, WhitenedSink } from "./fingerprint.ts";
import { HaitsmaExtractor } from "./haitsma-extractor.ts";
import { LandmarkExtractor } from "./landmark-extractor.ts";
import type { LandmarkSettings } from "./landmark-settings.ts";
import { MarkExtractor } from "./mark-extractor.ts";
import { type Profile, type ProfileId, profileOf } from "./profile.ts";
import type { RecordBuffer } from "./record-buffer.ts";
import { makeResampler, type StreamResampler } from "./resampler.ts";

/** How a profile turns samples at its own rate into records. One per profile family. */
export interface Extractor {
  readonly configHash: string;
  readonly replacedSamples: number;
  readonly records: RecordBuffer;
  push(samples: Float32Array, start: number, end: number): void;
  /** Adds what {@link FingerprintStream.preview} hands over; left out where records do not wait for a second to end. */
  preview?(): void;
  flush(): void;
  reset(): void;
}

/** Options of {@link createStream}. */
export interface StreamOptions {
  /** Rate of the pushed samples, a whole number from 4,000 to 768,000 Hz; default the profile's own rate. */
  readonly sampleRate?: number;
  /** Settings other than the profile's defaults (landmark profiles only). */
  readonly settings?: Partial<LandmarkSettings>;
  /** Told of each spectral peak once it is final (landmark profiles only). */
  readonly onPeak?: PeakSink;
  /** Told of each whitened row of the spectrum (`mark-v1` only). */
  readonly onWhitened?: WhitenedSink;
}

const blockLength = 2048;

/**
 * Extracts a fingerprint from a stream of mono samples of any chunk size; the records are the same as those of
 * {@link extract} on the whole signal. `push` allocates nothing. Samples that are not finite count as 0.
 *
 * @example
 * const stream = createStream("wang-v1", { sampleRate: 48_000 });
 * stream.push(chunk, (records, count) => { ... });
 * stream.flush(onRecords);
 */
export class FingerprintStream {
  readonly profile: Profile;
  /** Identifies profile and settings, as in {@link Fingerprint}. */
  readonly configHash: string;
  readonly #extractor: Extractor;
  readonly #resampler: StreamResampler | undefined;
  readonly #resampled: Float32Array;
  readonly #finite: Float32Array;
  #samplesIn = 0;
  #replaced = 0;

  constructor(id: ProfileId, options: StreamOptions = {}) {
    this.profile = profileOf(id);
    const rate = options.sampleRate ?? this.profile.sampleRate;
    this.#extractor = makeExtractor(this.profile, options);
    this.configHash = this.#extractor.configHash;
    const equal = rate === this.profile.sampleRate;
    this.#resampler = equal ? undefined : makeResampler(this.profile, rate);
    this.#resampled = new Float32Array(this.#resampler?.outputBound(blockLength) ?? 0);
    this.#finite = new Float32Array(equal ? 0 : blockLength);
  }

  /** Samples pushed since the start or the last `reset`. */
  get samplesIn(): number {
    return this.#samplesIn;
  }

  /** Samples that were NaN or infinite and counted as 0. */
  get replacedSamples(): number {
    return this.#replaced + this.#extractor.replacedSamples;
  }

  /** Analyses `samples[start, end)` and hands over the records that became final. */
  push(samples: Float32Array, onRecords: RecordSink, start = 0, end: number = samples.length): void {
    const extractor = this.#extractor;
    const resampler = this.#resampler;
    extractor.records.sink = onRecords;
    this.#samplesIn += end - start;
    if (resampler === undefined) extractor.push(samples, start, end);
    else {
      for (let at = start; at < end; at += blockLength) {
        const to = Math.min(end, at + blockLength);
        const count = this.#isFinite(samples, at, to)
          ? resampler.push(samples, at, to, this.#resampled)
          : resampler.push(this.#finite, 0, to - at, this.#resampled);
        extractor.push(this.#resampled, 0, count);
      }
    }
    extractor.records.drain();
    extractor.records.sink = undefined;
  }

  /** Whether all samples are numbers; if not, they are copied to `#finite` with 0 for those that are none, before a filter spreads them. */
  #isFinite(samples: Float32Array, from: number, to: number): boolean {
    let [even, odd] = [0, 0];
    let at = from;
    // x - x is 0 for finite x and NaN otherwise. Two sums, so that one does not wait for the other.
    for (; at + 1 < to; at += 2) {
      even += samples[at]! - samples[at]!;
      odd += samples[at + 1]! - samples[at + 1]!;
    }
    if (at < to) even += samples[at]! - samples[at]!;
    if (even + odd === 0) return true;
    for (let i = from; i < to; i++) {
      const value = samples[i]!;
      const isNumber = value - value === 0;
      this.#finite[i - from] = isNumber ? value : 0;
      if (!isNumber) this.#replaced++;
    }
    return false;
  }

  /**
   * Hands over what is not final yet: the landmark profiles keep the peaks of a second until it is over, and a peak until all
   * that may be paired with it is known, 1 to 2 s; this pairs what is known of them. Most come again when they are final, some
   * do not. The stream goes on as if nothing had been asked. The other profiles hand over nothing.
   */
  preview(onRecords: RecordSink): void {
    const extractor = this.#extractor;
    extractor.records.sink = onRecords;
    extractor.preview?.();
    extractor.records.drain();
    extractor.records.sink = undefined;
  }

  /** Takes the stream as ended and hands over all that is left. A second call hands over nothing. */
  flush(onRecords: RecordSink): void {
    const extractor = this.#extractor;
    extractor.records.sink = onRecords;
    if (this.#resampler !== undefined) {
      extractor.push(this.#resampled, 0, this.#resampler.flush(this.#resampled));
    }
    extractor.flush();
    extractor.records.drain();
    extractor.records.sink = undefined;
  }

  /** Forgets everything; the next sample is sample 0 of a new stream. */
  reset(): void {
    this.#samplesIn = 0;
    this.#replaced = 0;
    this.#resampler?.reset();
    this.#extractor.reset();
  }
}

/** A streaming extractor for `profile`; see {@link FingerprintStream}. */
export function createStream(profile: ProfileId, options: StreamOptions = {}): FingerprintStream {
  return new FingerprintStream(profile, options);
}

/** The extractor of a profile, working at the profile's own rate. @throws FingerprintError `fp/settings` */
export function makeExtractor(
  profile: Profile,
  { settings, onPeak, onWhitened }: Omit<StreamOptions, "sampleRate">,
): Extractor {
  if (profile.id === "mark-v1" && settings === undefined) return new MarkExtractor(onPeak, onWhitened);
  if (onWhitened !== undefined) {
    throw new FingerprintError("fp/settings", `${profile.id} has no whitened rows; mark-v1 has.`);
  }
  if (profile.id === "wang-v1" || profile.id === "panako-v2") {
    return new LandmarkExtractor(profile.id, settings, onPeak);
  }
  if (settings !== undefined || onPeak !== undefined) {
    throw new FingerprintError(
      "fp/settings",
      `${profile.id} has no landmark settings, and haitsma-v1 no peaks.`,
    );
  }
  return new HaitsmaExtractor();
}
