import { BandLimitedResampler } from "./band-limited-resampler.ts";
import { CompatResampler, compatResample } from "./compat-resample.ts";
import type { Profile } from "./profile.ts";

/** Changes the rate of a stream of mono samples. */
export interface StreamResampler {
  /** Most samples that one `push` of `count` samples, or `flush`, can write. */
  outputBound(count: number): number;
  push(input: Float32Array, start: number, end: number, output: Float32Array): number;
  flush(output: Float32Array): number;
  reset(): void;
}

/** The resampler that belongs to a profile. @throws FingerprintError `fp/rate` */
export function makeResampler(profile: Profile, from: number): StreamResampler {
  if (profile.id === "mark-v1") return new BandLimitedResampler(from, profile.sampleRate);
  return new CompatResampler(from, profile.sampleRate);
}

/** A whole signal at the profile's rate, ceil(length * to / from) samples; the input itself where the rates are equal. */
export function resample(profile: Profile, samples: Float32Array, from: number): Float32Array {
  const to = profile.sampleRate;
  if (profile.id !== "mark-v1" || from === to) return compatResample(samples, from, to);
  const resampler = new BandLimitedResampler(from, to);
  const length = Math.ceil((samples.length * to) / from);
  const out = new Float32Array(length + resampler.outputBound(0));
  const written = resampler.push(samples, 0, samples.length, out);
  resampler.flush(out.subarray(written));
  return out.subarray(0, length);
}
