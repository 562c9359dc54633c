import { requireRate } from "./compat-resample.ts";
import { FingerprintError } from "./errors.ts";
import type { Fingerprint, PeakSink } from "./fingerprint.ts";
import type { LandmarkSettings } from "./landmark-settings.ts";
import { maxRecords, type Profile, type ProfileId, profileOf } from "./profile.ts";
import { resample } from "./resampler.ts";
import { sortRecords } from "./sort-records.ts";
import { makeExtractor } from "./stream.ts";

/** Options of {@link extract}. */
export interface ExtractOptions {
  /** Rate of `pcm`, a whole number from 4,000 to 768,000 Hz. */
  readonly sampleRate: number;
  /** Interleaved channels of `pcm`, 1 to 64; they are averaged. Default 1. */
  readonly channels?: number;
  /** Refuse other rates than the profile's own instead of resampling. */
  readonly strictRate?: boolean;
  /** Settings other than the profile's defaults (landmark profiles only). */
  readonly settings?: Partial<LandmarkSettings>;
  /** Told of each spectral peak (landmark profiles only). */
  readonly onPeak?: PeakSink;
  readonly signal?: AbortSignal;
}

/**
 * The fingerprint of a whole signal.
 *
 * @param pcm nominal range [-1, 1]; only read
 * @throws FingerprintError `fp/channels`, `fp/rate`, `fp/non-finite` (with the index), `fp/limit`, `fp/too-short`
 *
 * @example
 * const fingerprint = extract("wang-v1", pcm, { sampleRate: 44_100 });
 */
export function extract(id: ProfileId, pcm: Float32Array, options: ExtractOptions): Fingerprint {
  const profile = profileOf(id);
  const extractor = makeExtractor(profile, {
    ...(options.settings !== undefined && { settings: options.settings }),
    ...(options.onPeak !== undefined && { onPeak: options.onPeak }),
  });
  const samples = prepareSamples(id, downmix(pcm, options.channels ?? 1), options);
  const words = profile.recordWords;
  let records = new Uint32Array(4096 * words);
  let length = 0;
  extractor.records.sink = (batch, count) => {
    if (length / words + count > maxRecords) {
      throw new FingerprintError(
        "fp/limit",
        `The signal gives more than ${maxRecords} hashes; cut it into pieces.`,
      );
    }
    if (length + count * words > records.length) {
      const larger = new Uint32Array(records.length * 2);
      larger.set(records);
      records = larger;
    }
    for (let i = 0; i < count * words; i++) records[length + i] = batch[i]!;
    length += count * words;
  };
  const step = profile.sampleRate * 10;
  for (let at = 0; at < samples.length; at += step) {
    options.signal?.throwIfAborted();
    extractor.push(samples, at, Math.min(samples.length, at + step));
  }
  extractor.flush();
  extractor.records.drain();
  return {
    profile: id,
    configHash: extractor.configHash,
    sampleRate: profile.sampleRate,
    hopSize: profile.hopSize,
    sourceLength: samples.length,
    recordWords: words,
    records: sortRecords(records.slice(0, length), words),
  };
}

/** Checks a mono signal and brings it to the rate of the profile. @throws FingerprintError as `extract` */
export function prepareSamples(id: ProfileId, mono: Float32Array, options: ExtractOptions): Float32Array {
  const profile = profileOf(id);
  requireFinite(mono);
  requireLength(profile, mono.length, options);
  const samples = resample(profile, mono, options.sampleRate);
  if (samples.length < profile.minSamples) {
    const seconds = (count: number) => (count / profile.sampleRate).toFixed(2);
    throw new FingerprintError(
      "fp/too-short",
      `${id} needs at least ${seconds(profile.minSamples)} s of sound and got ${seconds(samples.length)} s.`,
    );
  }
  return samples;
}

/** Mean of the interleaved channels. @throws FingerprintError `fp/channels` */
export function downmix(pcm: Float32Array, channels: number): Float32Array {
  if (!Number.isInteger(channels) || channels < 1 || channels > 64 || pcm.length % channels !== 0) {
    throw new FingerprintError(
      "fp/channels",
      `${pcm.length} samples are no whole frames of ${channels} channels; give 1 to 64 interleaved channels.`,
    );
  }
  if (channels === 1) return pcm;
  const mono = new Float32Array(pcm.length / channels);
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += pcm[i * channels + c]!;
    mono[i] = sum / channels;
  }
  return mono;
}

/** @throws FingerprintError `fp/non-finite` with the index of the first sample that is no finite number */
export function requireFinite(samples: Float32Array): void {
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]!;
    if (value - value !== 0) {
      throw new FingerprintError(
        "fp/non-finite",
        `Sample ${i} is ${value}; every sample must be a finite number.`,
      );
    }
  }
}

function requireLength(profile: Profile, length: number, options: ExtractOptions): void {
  const { sampleRate, strictRate } = options;
  requireRate(sampleRate);
  const projected = Math.ceil((length * profile.sampleRate) / sampleRate);
  if (projected > profile.maxSamples) {
    throw new FingerprintError(
      "fp/limit",
      `The signal has ${projected} samples at ${profile.sampleRate} Hz; at most ${profile.maxSamples} are allowed.`,
    );
  }
  if (strictRate === true && sampleRate !== profile.sampleRate) {
    throw new FingerprintError(
      "fp/rate",
      `${profile.id} needs ${profile.sampleRate} Hz and got ${sampleRate} Hz.`,
    );
  }
}
