import { createStream, type Fingerprint, type ProfileId, profileOf } from "@longwave/fingerprint";
import { stationRateHz } from "./sound.ts";

/** Sound of 48 kHz stereo that comes piece by piece: fills the block, returns sample frames, 0 at the end. */
export type StereoReader = (block: Float32Array) => number;

export interface SlowFingerprintOptions {
  /** Called after every 100 ms of sound, so that a station on air is not held up. */
  readonly pause?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const sliceFrames = 4800;

/** The fingerprint of sound that is read piece by piece, with pauses between the pieces. */
export async function fingerprintSlowly(
  profileId: ProfileId,
  read: StereoReader,
  { pause, signal }: SlowFingerprintOptions = {},
): Promise<Fingerprint> {
  const profile = profileOf(profileId);
  const stream = createStream(profileId, { sampleRate: stationRateHz });
  const stereo = new Float32Array(2 * sliceFrames);
  const mono = new Float32Array(sliceFrames);
  const records: number[] = [];
  const keep = (batch: Uint32Array, count: number) => {
    for (let i = 0; i < count * profile.recordWords; i++) records.push(batch[i]!);
  };
  let lengthFrames = 0;
  for (let frames = read(stereo); frames > 0; frames = read(stereo)) {
    for (let i = 0; i < frames; i++) mono[i] = (stereo[2 * i]! + stereo[2 * i + 1]!) / 2;
    stream.push(mono, keep, 0, frames);
    lengthFrames += frames;
    if (pause !== undefined) await pause();
    signal?.throwIfAborted();
  }
  stream.flush(keep);
  return {
    profile: profileId,
    configHash: stream.configHash,
    sampleRate: profile.sampleRate,
    hopSize: profile.hopSize,
    sourceLength: Math.ceil((lengthFrames * profile.sampleRate) / stationRateHz),
    recordWords: profile.recordWords,
    records: sortedRecords(records, profile.recordWords),
  };
}

/** Records in the order of a fingerprint: by frame, then by hash. */
function sortedRecords(flat: readonly number[], words: number): Uint32Array {
  const order = Array.from({ length: flat.length / words }, (_, i) => i * words);
  order.sort((a, b) => flat[a + 1]! - flat[b + 1]! || flat[a]! - flat[b]!);
  const sorted = new Uint32Array(flat.length);
  order.forEach((from, i) => {
    for (let k = 0; k < words; k++) sorted[i * words + k] = flat[from + k]!;
  });
  return sorted;
}
