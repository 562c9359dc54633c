import { markColumns, ReferenceMarkSpectrum } from "../src/mark-spectrum.ts";

/**
 * The peaks of `mark-v1` written straight from the definition: full matrices, direct sums, full boxes. Levels are whole
 * numbers of 1/1024 dB, as in the profile.
 * @returns [frame, column] pairs in order
 */
export function oracleMarkPeaks(samples: Float32Array): [number, number][] {
  const spectrum = new ReferenceMarkSpectrum();
  const frames = samples.length < 1024 ? 0 : 1 + Math.floor((samples.length - 1024) / 256);
  if (frames < 4) return [];
  const levels: Int32Array[] = [];
  for (let t = 0; t < frames; t++) {
    spectrum.compute(samples, 256 * t);
    levels.push(spectrum.levels.slice());
  }
  const clamp = (value: number, end: number) => Math.min(end - 1, Math.max(0, value));
  const whitened = levels.map((row, t) =>
    Float64Array.from(row, (level, c) => {
      let overTime = 0;
      let overColumns = 0;
      for (let d = -31; d <= 14; d++) overTime += levels[clamp(t + d, frames)]![c]!;
      for (let d = -20; d <= 20; d++) overColumns += row[clamp(c + d, markColumns)]!;
      return 2 * 46 * 41 * level - 41 * overTime - 46 * overColumns;
    }),
  );
  const candidates: { t: number; c: number; strength: number }[] = [];
  for (let t = 0; t < frames; t++) {
    for (let c = 0; c < markColumns; c++) {
      const strength = whitened[t]![c]!;
      if (strength <= 3 * 1024 * 2 * 46 * 41 || levels[t]![c]! <= -45 * 1024) continue;
      let isMaximum = true;
      for (let u = Math.max(0, t - 3); u <= Math.min(frames - 1, t + 3); u++) {
        for (let d = Math.max(0, c - 8); d <= Math.min(markColumns - 1, c + 8); d++) {
          if (whitened[u]![d]! > strength) isMaximum = false;
        }
      }
      if (isMaximum) candidates.push({ t, c, strength });
    }
  }
  return candidates
    .filter((p) => candidates.filter((q) => Math.abs(q.t - p.t) <= 16 && q.strength > p.strength).length < 14)
    .map(({ t, c }) => [t, c]);
}
