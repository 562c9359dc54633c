import { requireRate } from "./compat-resample.ts";
import { downmix } from "./extract.ts";
import { profileOf } from "./profile.ts";
import { makeResampler, type StreamResampler } from "./resampler.ts";
import { featureRate, SoundFeatures, stepFrames, windowFrames } from "./sound-features.ts";

/** What a stretch of sound is. Speech over music counts as the louder of the two. */
export type SoundClass = "silence" | "noise" | "speech" | "music";

export const soundClasses: readonly SoundClass[] = ["silence", "noise", "speech", "music"];

/** A stretch of one class; seconds from the start of the sound. */
export interface SoundSpan {
  readonly class: SoundClass;
  readonly start: number;
  readonly end: number;
}

/** Below a mean power of -60 dB relative to a full-scale sine it is silence. */
const silentPower = 1e-6;
const frameSeconds = 256 / featureRate;
const windowSeconds = windowFrames * frameSeconds;
const stepSeconds = stepFrames * frameSeconds;
const blockLength = 2048;

/**
 * Linear scores of the features in the order of `featureNames`, then a constant; the largest wins. Fitted by logistic regression to
 * windows of composed songs, synthetic voices and noises of the benchmark corpus, seed 1, clean and in noise at 10 dB.
 */
const weights: Readonly<Record<"noise" | "speech" | "music", readonly number[]>> = {
  noise: [-8.708, -3.131, -15.469, 0.953, -2.745, 5.114, 13.55],
  speech: [12.886, 3.5, 14.184, -0.415, 1.885, -10.38, -15.853],
  music: [-4.178, -0.369, 1.286, -0.538, 0.861, 5.266, 2.304],
};

function classOf(power: number, features: Float64Array): SoundClass {
  if (power < silentPower) return "silence";
  let best: keyof typeof weights = "noise";
  let most = Number.NEGATIVE_INFINITY;
  for (const name of ["noise", "speech", "music"] as const) {
    const own = weights[name];
    let score = own[features.length]!;
    for (let i = 0; i < features.length; i++) score += own[i]! * features[i]!;
    if (score > most) [best, most] = [name, score];
  }
  return best;
}

/**
 * Tells speech, music, noise and silence apart in a stream of mono samples, half a second at a time, each by the two seconds
 * around it: how its loudness varies, above all at the rate of syllables, how tonal it is, and how long its spectrum stays.
 * It decides what is worth an identification; it is no speech recogniser. Half a second at the border of two kinds may be named
 * after neither.
 *
 * @example
 * const classifier = new SoundClassifier({ sampleRate: 48_000 });
 * classifier.push(chunk, ({ class: kind, start, end }) => { ... });
 */
export class SoundClassifier {
  readonly #features = new SoundFeatures();
  readonly #resampler: StreamResampler | undefined;
  readonly #resampled: Float32Array;
  readonly #rate: number;
  #samplesIn = 0;
  #told = 0;
  #last: SoundClass | undefined;

  /** @throws FingerprintError `fp/rate` */
  constructor(options: { readonly sampleRate: number }) {
    requireRate(options.sampleRate);
    this.#rate = options.sampleRate;
    const profile = profileOf("mark-v1");
    const isEqual = options.sampleRate === featureRate;
    this.#resampler = isEqual ? undefined : makeResampler(profile, options.sampleRate);
    this.#resampled = new Float32Array(this.#resampler?.outputBound(blockLength) ?? 0);
  }

  /** Takes `samples[start, end)`; `onSpan` is told of every half second, in order, once the two seconds around it are known. */
  push(
    samples: Float32Array,
    onSpan: (span: SoundSpan) => void,
    start = 0,
    end: number = samples.length,
  ): void {
    const onWindow = (frame: number, power: number, features: Float64Array) => {
      this.#last = classOf(power, features);
      // The window speaks for the half second in its middle; the first one also for what is before.
      this.#tell(this.#last, frame * frameSeconds + (windowSeconds + stepSeconds) / 2, onSpan);
    };
    this.#samplesIn += end - start;
    if (this.#resampler === undefined) {
      this.#features.push(samples, start, end, onWindow);
      return;
    }
    for (let at = start; at < end; at += blockLength) {
      const count = this.#resampler.push(samples, at, Math.min(end, at + blockLength), this.#resampled);
      this.#features.push(this.#resampled, 0, count, onWindow);
    }
  }

  /** Takes the stream as ended: what is left, less than two seconds, counts as what was before it; a shorter sound has no class. */
  flush(onSpan: (span: SoundSpan) => void): void {
    const seconds = this.#samplesIn / this.#rate;
    if (this.#last !== undefined && seconds > this.#told) this.#tell(this.#last, seconds, onSpan);
    this.reset();
  }

  reset(): void {
    this.#features.reset();
    this.#resampler?.reset();
    this.#samplesIn = 0;
    this.#told = 0;
    this.#last = undefined;
  }

  #tell(kind: SoundClass, end: number, onSpan: (span: SoundSpan) => void): void {
    onSpan({ class: kind, start: this.#told, end });
    this.#told = end;
  }
}

/**
 * The classes of a whole sound, neighbours of one class joined. A sound of less than two seconds gives nothing.
 * @param pcm interleaved; samples that are not finite count as 0
 * @throws FingerprintError `fp/channels`, `fp/rate`
 */
export function classifySound(
  pcm: Float32Array,
  options: { readonly sampleRate: number; readonly channels?: number },
): SoundSpan[] {
  const mono = downmix(pcm, options.channels ?? 1);
  const spans: SoundSpan[] = [];
  const add = (span: SoundSpan) => {
    const last = spans.at(-1);
    if (last?.class === span.class) spans[spans.length - 1] = { ...last, end: span.end };
    else spans.push(span);
  };
  const classifier = new SoundClassifier({ sampleRate: options.sampleRate });
  classifier.push(mono, add);
  classifier.flush(add);
  return spans;
}
