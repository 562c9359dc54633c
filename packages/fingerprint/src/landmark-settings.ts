import { FingerprintError } from "./errors.ts";

/** What may be tuned in the landmark profiles; other values than the defaults give another `configHash`. */
export interface LandmarkSettings {
  /** Peaks kept of each second, 1 to 500. */
  readonly peaksPerSecond: number;
  /** Peaks must be louder than this, dB, -200 to 0. */
  readonly floorDb: number;
  /** Hashes per anchor, 1 to 64. */
  readonly fanOut: number;
  /** Extent of the target zone in frames, 1 to 512. */
  readonly zoneFrames: number;
  /** Extent of the target zone in bins, 1 to 512. */
  readonly zoneBins: number;
}

/** Defaults of `wang-v1`. */
export const wangDefaults: LandmarkSettings = {
  peaksPerSecond: 30,
  floorDb: -50,
  fanOut: 10,
  zoneFrames: 63,
  zoneBins: 64,
};

/** Defaults of `panako-v2`. */
export const panakoDefaults: LandmarkSettings = {
  peaksPerSecond: 30,
  floorDb: -50,
  fanOut: 5,
  zoneFrames: 96,
  zoneBins: 96,
};

/**
 * Fills in defaults and clamps to the allowed ranges.
 * @throws FingerprintError `fp/settings` where a value is no number, or `peaksPerSecond` is below 1 (systems disagree
 * whether 0 means none or all, so it is refused)
 */
export function landmarkSettings(
  defaults: LandmarkSettings,
  wanted: Partial<LandmarkSettings> = {},
): LandmarkSettings {
  const peaksPerSecond = integer("peaksPerSecond", wanted.peaksPerSecond ?? defaults.peaksPerSecond);
  if (peaksPerSecond < 1) {
    throw new FingerprintError(
      "fp/settings",
      `peaksPerSecond is ${peaksPerSecond}; give 1 to 500 peaks a second.`,
    );
  }
  const floorDb = wanted.floorDb ?? defaults.floorDb;
  if (Number.isNaN(floorDb)) throw new FingerprintError("fp/settings", "floorDb is no number.");
  return {
    peaksPerSecond: Math.min(peaksPerSecond, 500),
    floorDb: clamp(floorDb, -200, 0),
    fanOut: clamp(integer("fanOut", wanted.fanOut ?? defaults.fanOut), 1, 64),
    zoneFrames: clamp(integer("zoneFrames", wanted.zoneFrames ?? defaults.zoneFrames), 1, 512),
    zoneBins: clamp(integer("zoneBins", wanted.zoneBins ?? defaults.zoneBins), 1, 512),
  };
}

function integer(name: string, value: number): number {
  if (Number.isFinite(value)) return Math.trunc(value);
  throw new FingerprintError("fp/settings", `${name} is ${value}; give a whole number.`);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
