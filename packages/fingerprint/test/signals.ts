import { SeededRandom } from "@longwave/base";

/** Notes with decaying harmonics over a little noise: enough structure for landmarks, the same for a seed. */
export function melody(seed: number, seconds: number, sampleRate: number): Float32Array {
  const random = new SeededRandom(seed);
  const out = new Float32Array(Math.round(seconds * sampleRate));
  for (let start = 0; start < out.length; ) {
    const length = Math.floor(sampleRate * (0.12 + 0.4 * random.next()));
    const frequency = 110 * 2 ** (random.below(36) / 12);
    const level = 0.1 + 0.2 * random.next();
    for (let i = 0; i < 2 * length && start + i < out.length; i++) {
      const t = i / sampleRate;
      let value = 0;
      for (let h = 1; h <= 6; h++) value += Math.sin(2 * Math.PI * frequency * h * t) / h;
      out[start + i]! += level * value * Math.exp(-4 * t);
    }
    start += length;
  }
  for (let i = 0; i < out.length; i++) out[i]! += 0.002 * (random.next() - 0.5);
  return out;
}

/** Uniform noise in [-level, level]. */
export function noise(seed: number, count: number, level: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: count }, () => level * (2 * random.next() - 1));
}
