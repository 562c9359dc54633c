import { type Random, SeededRandom } from "@longwave/base";
import { Resampler } from "@longwave/dsp";

/** Rate of the sound that is degraded, Hz. */
export const benchRate = 16_000;

/** Something that happens to a recording on its way to a query. */
export interface Condition {
  readonly name: string;
  /** The query lasts so much shorter than its part of the recording. */
  readonly speed: number;
  apply(samples: Float32Array, random: Random): Float32Array;
}

const unchanged = (samples: Float32Array): Float32Array => samples;
const noisy = (decibels: number) => (samples: Float32Array, random: Random) => {
  const noise = Float32Array.from(samples, () => normal(random));
  const gain = rms(samples) / (rms(noise) * 10 ** (decibels / 20));
  return samples.map((value, i) => value + gain * noise[i]!);
};
const played = (speed: number): Condition => ({
  name: `speed ${speed > 1 ? "+" : ""}${Math.round(100 * (speed - 1))} %`,
  speed,
  apply: (samples) => resampled(samples, Math.round(benchRate * speed), benchRate),
});

/** A part of the 34 conditions of the project's own benchmark: those that need no other program. */
export const conditions: readonly Condition[] = [
  { name: "clean", speed: 1, apply: unchanged },
  { name: "gain -20 dB", speed: 1, apply: (samples) => samples.map((value) => value / 10) },
  { name: "clipped at 1/4", speed: 1, apply: clipped },
  { name: "telephone", speed: 1, apply: telephone },
  { name: "reverberation 0.8 s", speed: 1, apply: reverberant },
  { name: "white noise 10 dB", speed: 1, apply: noisy(10) },
  { name: "white noise 0 dB", speed: 1, apply: noisy(0) },
  played(1.02),
  played(0.95),
];

function clipped(samples: Float32Array): Float32Array {
  const limit = peakOf(samples) / 4;
  return samples.map((value) => Math.max(-limit, Math.min(limit, value)));
}

/** 8 kHz, nothing below 300 Hz (two poles), µ-law of 8 bits. */
function telephone(samples: Float32Array): Float32Array {
  const narrow = resampled(samples, benchRate, 8000);
  const decay = Math.exp((-2 * Math.PI * 300) / 8000);
  for (let pass = 0; pass < 2; pass++) {
    let [before, out] = [0, 0];
    for (let i = 0; i < narrow.length; i++) {
      const value = narrow[i]!;
      out = decay * (out + value - before);
      before = value;
      narrow[i] = out;
    }
  }
  const peak = peakOf(narrow);
  for (let i = 0; i < narrow.length; i++) {
    const x = narrow[i]! / peak;
    const code = Math.round((127 * Math.sign(x) * Math.log1p(255 * Math.abs(x))) / Math.log(256)) / 127;
    narrow[i] = (peak * Math.sign(code) * (256 ** Math.abs(code) - 1)) / 255;
  }
  return resampled(narrow, 8000, benchRate);
}

/** Half of the energy from 300 echoes at random places of a decay of 60 dB in 0.8 s. */
function reverberant(samples: Float32Array, random: Random): Float32Array {
  const length = Math.round(0.8 * benchRate);
  const echoes = new Float32Array(samples.length);
  for (let echo = 0; echo < 300; echo++) {
    const delay = 1 + random.below(length);
    const gain = normal(random) * 10 ** ((-3 * delay) / length);
    for (let i = delay; i < samples.length; i++) echoes[i]! += gain * samples[i - delay]!;
  }
  const gain = rms(samples) / Math.max(1e-9, rms(echoes));
  return samples.map((value, i) => value + gain * echoes[i]!);
}

/** Sound at another rate. */
export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const resampler = new Resampler({ from, to });
  const out = new Float32Array(
    resampler.maxOutputFrames(samples.length) + resampler.maxOutputFrames(resampler.lookaheadFrames) + 1,
  );
  let written = resampler.process(samples, out);
  const rest = new Float32Array(resampler.maxOutputFrames(resampler.lookaheadFrames) + 1);
  const flushed = resampler.flush(rest);
  out.set(rest.subarray(0, flushed), written);
  written += flushed;
  resampler.close();
  return out.slice(0, written);
}

/** The random sequence of query `number` under a condition: equal for equal seeds. */
export function randomOf(seed: number, condition: number, number: number): SeededRandom {
  return new SeededRandom(seed, 10_000 * condition + number);
}

/** A standard normal value (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return Math.sqrt(sum / Math.max(1, samples.length));
}

function peakOf(samples: Float32Array): number {
  let peak = 1e-9;
  for (const value of samples) peak = Math.max(peak, Math.abs(value));
  return peak;
}
