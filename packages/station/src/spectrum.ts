import { sinTurns } from "./songs/waveforms.ts";

interface Plan {
  readonly cosine: Float64Array;
  readonly sine: Float64Array;
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

const plans = new Map<number, Plan>();

/** Squared magnitudes of the discrete Fourier transform of real samples; the length is a power of two. */
export function powerSpectrum(samples: Float64Array, power: Float64Array): void {
  const length = samples.length;
  let plan = plans.get(length);
  if (plan === undefined) {
    plan = {
      cosine: Float64Array.from({ length: length / 2 }, (_, i) => sinTurns(i / length + 0.25)),
      sine: Float64Array.from({ length: length / 2 }, (_, i) => sinTurns(i / length)),
      real: new Float64Array(length),
      imaginary: new Float64Array(length),
    };
    plans.set(length, plan);
  }
  const { cosine, sine, real, imaginary } = plan;
  for (let i = 0, j = 0; i < length; i++) {
    real[j] = samples[i]!;
    imaginary[j] = 0;
    let bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
  }
  for (let half = 1; half < length; half *= 2) {
    const stride = length / (2 * half);
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k;
        const b = a + half;
        const c = cosine[k * stride]!;
        const s = -sine[k * stride]!;
        const re = real[b]! * c - imaginary[b]! * s;
        const im = real[b]! * s + imaginary[b]! * c;
        real[b] = real[a]! - re;
        imaginary[b] = imaginary[a]! - im;
        real[a] = real[a]! + re;
        imaginary[a] = imaginary[a]! + im;
      }
    }
  }
  for (let i = 0; i < power.length; i++) power[i] = real[i]! * real[i]! + imaginary[i]! * imaginary[i]!;
}
