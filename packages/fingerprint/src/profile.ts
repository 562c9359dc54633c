import { FingerprintError } from "./errors.ts";

/** Names of the fingerprint profiles. A profile fixes every bit of the result. */
export type ProfileId = "wang-v1" | "panako-v2" | "haitsma-v1" | "mark-v1";

/** What is fixed for a profile: its signal geometry and the shape of its records. */
export interface Profile {
  readonly id: ProfileId;
  /** Rate at which the profile analyses, Hz. */
  readonly sampleRate: number;
  /** Samples of one analysis window. */
  readonly fftSize: number;
  /** Samples from one frame to the next; frame i starts at sample i * hopSize. */
  readonly hopSize: number;
  /** Shortest input, in samples at `sampleRate`. */
  readonly minSamples: number;
  /** Longest input of one offline extraction, in samples at `sampleRate`. Streams have no such limit. */
  readonly maxSamples: number;
  /** u32 words of one record; the first is the hash (of `mark-v1` the frequency of a peak), the second its frame. */
  readonly recordWords: number;
  /** Longest time from the moment a sample is pushed to the record that depends on it, ms. */
  readonly latencyMs: number;
}

const thirtyMinutes = 30 * 60;

const profiles: Readonly<Record<ProfileId, Profile>> = {
  "wang-v1": {
    id: "wang-v1",
    sampleRate: 8000,
    fftSize: 1024,
    hopSize: 128,
    minSamples: 16_000,
    maxSamples: thirtyMinutes * 8000,
    recordWords: 2,
    latencyMs: 2256,
  },
  "panako-v2": {
    id: "panako-v2",
    sampleRate: 8000,
    fftSize: 1024,
    hopSize: 128,
    minSamples: 16_000,
    maxSamples: thirtyMinutes * 8000,
    recordWords: 4,
    latencyMs: 2784,
  },
  "haitsma-v1": {
    id: "haitsma-v1",
    sampleRate: 5000,
    fftSize: 2048,
    hopSize: 64,
    minSamples: 10_000,
    maxSamples: thirtyMinutes * 5000,
    recordWords: 2,
    latencyMs: 409,
  },
  "mark-v1": {
    id: "mark-v1",
    sampleRate: 8000,
    fftSize: 1024,
    hopSize: 256,
    minSamples: 8000,
    maxSamples: 6 * 3600 * 8000,
    recordWords: 2,
    latencyMs: 1184,
  },
};

/** All profile names, in the order in which they were added. */
export const profileIds: readonly ProfileId[] = ["wang-v1", "panako-v2", "haitsma-v1", "mark-v1"];

/** Most records that one offline extraction returns. */
export const maxRecords = 500_000;

/**
 * The description of a profile.
 * @throws FingerprintError `fp/profile-mismatch` for a name that is none
 */
export function profileOf(id: string): Profile {
  const profile = Object.hasOwn(profiles, id) ? profiles[id as ProfileId] : undefined;
  if (profile !== undefined) return profile;
  throw new FingerprintError(
    "fp/profile-mismatch",
    `There is no fingerprint profile ${JSON.stringify(id)}; choose one of ${profileIds.join(", ")}.`,
  );
}

/** Time of a frame in whole milliseconds: floor(frame * hop * 1000 / rate). */
export function frameToMs(profile: Profile, frame: number): number {
  return Math.floor((frame * profile.hopSize * 1000) / profile.sampleRate);
}
