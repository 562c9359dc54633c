import { DspError, requireInteger, requireNumber } from "./errors.ts";

// Plain loops: each touches a sample once, so that copying into a WASM core and back would cost more than it spares.

/**
 * Scales `samples` in place so that the largest finite magnitude becomes `peak`. Silence is left alone; samples that are
 * not finite are ignored and left as they are.
 * @param peak linear, above 0 to 1,000; default 1
 * @returns the factor that was applied
 */
export function normalizePeak(samples: Float32Array, peak = 1): number {
  requireNumber("The peak", peak, 1e-30, 1000);
  let largest = 0;
  for (let i = 0; i < samples.length; i++) {
    const magnitude = Math.abs(samples[i]!);
    if (magnitude > largest && magnitude < Number.POSITIVE_INFINITY) largest = magnitude;
  }
  if (largest === 0) return 1;
  const gain = peak / largest;
  for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * gain;
  return gain;
}

/**
 * Multiplies frames [start, end) of interleaved samples, in place, by a line from `from` (at `start`) towards `to` (which
 * frame `end` would get): two fades with a common border join without a step. Fade in: 0 to 1, fade out: 1 to 0.
 * @throws DspError `dsp/bad-option` where the range is not inside the samples
 */
export function fadeLinear(
  samples: Float32Array,
  range: { readonly start: number; readonly end: number; readonly from: number; readonly to: number },
  channels = 1,
): void {
  const { start, end, from, to } = range;
  requireInteger("The number of channels", channels, 1, 1024);
  const frames = Math.floor(samples.length / channels);
  requireInteger("The fade's start", start, 0, frames);
  requireInteger("The fade's end", end, start, frames);
  if (!(Number.isFinite(from) && Number.isFinite(to))) {
    throw new DspError(
      "dsp/bad-option",
      "usage",
      `A fade goes between finite factors, not ${from} and ${to}.`,
    );
  }
  for (let frame = start; frame < end; frame++) {
    const gain = from + ((to - from) * (frame - start)) / (end - start);
    for (let i = frame * channels; i < (frame + 1) * channels; i++) samples[i] = samples[i]! * gain;
  }
}

/**
 * Removes a constant offset from interleaved samples, in place and streaming: y[n] = x[n] - x[n-1] + r y[n-1] for each
 * channel, -3 dB near `cutoffHz`. A sample that is not finite is replaced by the one before it.
 */
export class DcBlocker {
  readonly channels: number;
  readonly #feedback: number;
  readonly #inputs: Float64Array;
  readonly #outputs: Float64Array;

  /**
   * @param options.cutoffHz above 0 to a tenth of the rate; default 10
   * @throws DspError `dsp/bad-option`
   */
  constructor(options: {
    readonly sampleRate: number;
    readonly channels?: number;
    readonly cutoffHz?: number;
  }) {
    const { sampleRate, channels = 1, cutoffHz = 10 } = options;
    requireNumber("The sample rate", sampleRate, 1, 1e7);
    requireInteger("The number of channels", channels, 1, 1024);
    requireNumber("The cut-off frequency", cutoffHz, 1e-6, sampleRate / 10);
    this.channels = channels;
    this.#feedback = 1 - (2 * Math.PI * cutoffHz) / sampleRate;
    this.#inputs = new Float64Array(channels);
    this.#outputs = new Float64Array(channels);
  }

  /** Filters whole frames in place. */
  process(samples: Float32Array): void {
    const channels = this.channels;
    for (let channel = 0; channel < channels; channel++) {
      let input = this.#inputs[channel]!;
      let output = this.#outputs[channel]!;
      for (let i = channel; i < samples.length; i += channels) {
        const given = samples[i]!;
        const x = Number.isFinite(given) ? given : input;
        output = x - input + this.#feedback * output;
        input = x;
        samples[i] = output;
      }
      this.#inputs[channel] = input;
      // The tail after silence would become subnormal and slow.
      this.#outputs[channel] = Math.abs(output) < 1e-60 ? 0 : output;
    }
  }

  /** Forgets the past. */
  reset(): void {
    this.#inputs.fill(0);
    this.#outputs.fill(0);
  }
}
