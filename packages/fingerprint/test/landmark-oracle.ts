import { powerToDecibels } from "../src/decibels.ts";
import { ReferencePowerSpectrum } from "../src/power-spectrum.ts";
import { wangHash } from "../src/wang-pairs.ts";

export interface OraclePeak {
  readonly t: number;
  readonly f: number;
  readonly db: number;
}

/** The peaks of a whole signal at 8 kHz, written straight from the definition: full matrices, full boxes, full sorts. */
export function oraclePeaks(samples: Float32Array, peaksPerSecond = 30, floorDb = -50): OraclePeak[] {
  const fft = new ReferencePowerSpectrum(1024);
  const frames = samples.length < 1024 ? 0 : 1 + Math.floor((samples.length - 1024) / 128);
  const levels: Float32Array[] = [];
  for (let t = 0; t < frames; t++) {
    fft.compute(samples, 128 * t);
    levels.push(fft.power.map(powerToDecibels));
  }
  const buckets = new Map<number, OraclePeak[]>();
  for (let t = 0; t < frames; t++) {
    for (let f = 0; f < 513; f++) {
      const db = levels[t]![f]!;
      if (!(db > floorDb) || !isBoxMaximum(levels, t, f)) continue;
      const bucket = Math.floor(t / 62.5);
      buckets.set(bucket, [...(buckets.get(bucket) ?? []), { t, f, db }]);
    }
  }
  return [...buckets.values()]
    .flatMap((peaks) => peaks.sort((a, b) => b.db - a.db || a.t - b.t || a.f - b.f).slice(0, peaksPerSecond))
    .sort((a, b) => a.t - b.t || a.f - b.f);
}

function isBoxMaximum(levels: readonly Float32Array[], t: number, f: number): boolean {
  const own = levels[t]![f]!;
  for (let u = Math.max(0, t - 15); u <= Math.min(levels.length - 1, t + 15); u++) {
    for (let g = Math.max(0, f - 15); g <= Math.min(512, f + 15); g++) if (levels[u]![g]! > own) return false;
  }
  return true;
}

/** The sorted `wang-v1` records of those peaks. */
export function oracleWang(peaks: readonly OraclePeak[]): Uint32Array {
  const records: [number, number][] = [];
  for (const a of peaks) {
    const targets = peaks
      .filter((b) => b.t - a.t >= 1 && b.t - a.t <= 63 && Math.abs(b.f - a.f) <= 64)
      .sort((x, y) => y.db - x.db || x.t - y.t || x.f - y.f)
      .slice(0, 10);
    for (const b of targets) records.push([wangHash(a.f, b.f, b.t - a.t), a.t]);
  }
  records.sort((x, y) => x[1] - y[1] || x[0] - y[0]);
  return Uint32Array.from(records.flat());
}
