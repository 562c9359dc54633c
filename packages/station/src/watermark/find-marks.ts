import { WatermarkDetector, type WatermarkSpan } from "@longwave/fingerprint/watermark";

export interface FindMarksOptions {
  readonly key: string;
  /** Length of the payload that the marks carry; default 4. */
  readonly payloadBytes?: 4 | 8;
  /** Runs after every second of sound, so that a station on air is not held up. */
  readonly pause?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** A mark: what it says in hexadecimal digits, and where it was read, in seconds. */
export interface FoundMark extends Omit<WatermarkSpan, "payload"> {
  readonly payload: string;
}

/**
 * All marks of one key (`keymark-v1`) in a sound that is wholly in memory.
 *
 * @param sound interleaved samples in [-1, 1]; only read
 * @throws FingerprintError for a rate or a number of channels that cannot be searched; the signal's reason when aborted
 */
export async function findMarks(
  sound: { readonly samples: Float32Array; readonly sampleRate: number; readonly channels: number },
  options: FindMarksOptions,
): Promise<FoundMark[]> {
  const { samples, sampleRate, channels } = sound;
  const { key, payloadBytes = 4, pause, signal } = options;
  const detector = new WatermarkDetector({ sampleRate, channels, key, payloadBytes });
  const found: FoundMark[] = [];
  const keep = ({ payload, ...where }: WatermarkSpan) => {
    const digits = Array.from(payload, (byte) => byte.toString(16).padStart(2, "0"));
    found.push({ payload: digits.join(""), ...where });
  };
  const piece = sampleRate * channels;
  for (let at = 0; at < samples.length; at += piece) {
    signal?.throwIfAborted();
    detector.process(samples.subarray(at, at + piece), keep);
    await pause?.();
  }
  detector.flush(keep);
  return found;
}
