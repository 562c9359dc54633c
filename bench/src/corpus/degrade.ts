import type { Random } from "@longwave/base";
import { corpusRate, resampled } from "./tools.js";

/** Root mean square. */
export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return Math.sqrt(sum / Math.max(1, samples.length));
}

export function peakOf(samples: Float32Array): number {
  let peak = 1e-9;
  for (const value of samples) peak = Math.max(peak, Math.abs(value));
  return peak;
}

export function scaled(samples: Float32Array, factor: number): Float32Array {
  return samples.map((value) => value * factor);
}

/** A standard normal value (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export function whiteNoise(random: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => normal(random));
}

/** Pink noise by Paul Kellet's three-pole filter. */
export function pinkNoise(random: Random, count: number): Float32Array {
  let [a, b, c] = [0, 0, 0];
  return Float32Array.from({ length: count }, () => {
    const white = normal(random);
    a = 0.99765 * a + white * 0.099046;
    b = 0.963 * b + white * 0.2965164;
    c = 0.57 * c + white * 1.0526913;
    return a + b + c + white * 0.1848;
  });
}

/** `noise` added so that the signal is `decibels` louder. */
export function withNoise(samples: Float32Array, noise: Float32Array, decibels: number): Float32Array {
  const gain = rms(samples) / (rms(noise) * 10 ** (decibels / 20));
  return samples.map((value, i) => value + gain * noise[i]!);
}

/** Second-order sections of a Butterworth filter of order 6. */
function butterworth(samples: Float32Array, frequency: number, kind: "low" | "high"): Float32Array {
  let out = samples;
  for (const q of [0.51764, Math.SQRT1_2, 1.93185]) {
    const w = (2 * Math.PI * frequency) / corpusRate;
    const alpha = Math.sin(w) / (2 * q);
    const cosine = Math.cos(w);
    const a0 = 1 + alpha;
    const edge = kind === "low" ? 1 - cosine : 1 + cosine;
    const [b0, b1] = [edge / 2 / a0, (kind === "low" ? edge : -edge) / a0];
    const [a1, a2] = [(-2 * cosine) / a0, (1 - alpha) / a0];
    let [x1, x2, y1, y2] = [0, 0, 0, 0];
    out = out.map((x) => {
      const y = b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2;
      [x2, x1, y2, y1] = [x1, x, y1, y];
      return y;
    });
  }
  return out;
}

/** Only what lies between two frequencies, Hz. */
export function bandPass(samples: Float32Array, low: number, high: number): Float32Array {
  return butterworth(butterworth(samples, low, "high"), high, "low");
}

/** 8-bit µ-law, mu = 255, of samples scaled to their peak. */
export function muLaw(samples: Float32Array): Float32Array {
  const peak = peakOf(samples);
  return samples.map((value) => {
    const x = value / peak;
    const coded = (Math.sign(x) * Math.log1p(255 * Math.abs(x))) / Math.log(256);
    const rounded = Math.round(coded * 127) / 127;
    return ((Math.sign(rounded) * (256 ** Math.abs(rounded) - 1)) / 255) * peak;
  });
}

/** Convolution with a decaying Gaussian response: `wet` of the energy reverberates, the rest is direct. */
export function reverb(samples: Float32Array, random: Random, rt60: number, wet: number): Float32Array {
  // 300 taps at random places stand for the dense response; each is an echo with the decay of its delay.
  const length = Math.round(rt60 * corpusRate);
  const taps = Array.from({ length: 300 }, () => {
    const delay = 1 + random.below(length);
    return { delay, gain: normal(random) * 10 ** ((-3 * delay) / length) };
  });
  const echoes = new Float32Array(samples.length);
  for (const { delay, gain } of taps) {
    for (let i = delay; i < samples.length; i++) echoes[i]! += gain * samples[i - delay]!;
  }
  const gain = (Math.sqrt(wet / (1 - wet)) * rms(samples)) / Math.max(1e-9, rms(echoes));
  return samples.map((value, i) => value + gain * echoes[i]!);
}

/** Played faster by `factor` (to 1/44,100), pitch and all: resampled and taken for the old rate. */
export function varispeed(samples: Float32Array, factor: number): Float32Array {
  return resampled(samples, Math.round(factor * corpusRate), corpusRate);
}
