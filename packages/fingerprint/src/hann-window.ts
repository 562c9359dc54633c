import { cosTurn } from "./exact-math.ts";

/** Periodic Hann window in f32: 0.5 - 0.5 cos(2 pi k / size). */
export function periodicHann(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, k) => 0.5 - 0.5 * cosTurn(k, size));
}
