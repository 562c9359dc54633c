import { fourier } from "./fourier.ts";

/** Periodic Hann window in f64. */
export function hann(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));
}

/** Power spectrogram in f64 by the definition: one row a frame. */
export function powerSpectrogram(samples: Float32Array, frameSize: number, hop: number): Float64Array[] {
  const window = hann(frameSize);
  const rows: Float64Array[] = [];
  for (let start = 0; start + frameSize <= samples.length; start += hop) {
    const frame = Float64Array.from(window, (value, n) => value * samples[start + n]!);
    const { re, im } = fourier(frame, new Float64Array(frameSize));
    rows.push(Float64Array.from({ length: frameSize / 2 + 1 }, (_, k) => re[k]! ** 2 + im[k]! ** 2));
  }
  return rows;
}

/** Slaney's mel weights, dense: one row a band. */
export function slaneyWeights(
  rate: number,
  frameSize: number,
  bands: number,
  low: number,
  high: number,
): Float64Array[] {
  const toMel = (hz: number) =>
    hz < 1000 ? (hz * 3) / 200 : 15 + Math.log(hz / 1000) / (Math.log(6.4) / 27);
  const toHz = (mel: number) =>
    mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp((mel - 15) * (Math.log(6.4) / 27));
  const borders = Array.from({ length: bands + 2 }, (_, i) =>
    toHz(toMel(low) + (i * (toMel(high) - toMel(low))) / (bands + 1)),
  );
  return Array.from({ length: bands }, (_, band) => {
    const [left, centre, right] = [borders[band]!, borders[band + 1]!, borders[band + 2]!];
    return Float64Array.from({ length: frameSize / 2 + 1 }, (_, bin) => {
      const hz = (bin * rate) / frameSize;
      const weight = Math.min((hz - left) / (centre - left), (right - hz) / (right - centre));
      return Math.max(0, weight) * (2 / (right - left));
    });
  });
}
