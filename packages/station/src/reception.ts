import { type Random, SeededRandom } from "@longwave/base";
import { StationError } from "./errors.ts";
import { decibelsToGain, sinTurns } from "./songs/waveforms.ts";
import { stationChannels, stationRateHz } from "./sound.ts";
import type { SoundPath } from "./stages.ts";

/** How well the receiver hears the studio. */
export interface ReceptionSettings {
  /** Level of the programme, -40 to +12 dB. */
  readonly gainDb: number;
  /** RMS level of the added white noise, -90 to 0 dB of full scale; null for none. */
  readonly noiseDb: number | null;
  /** Edges of what passes, Hz; 12 dB per octave outside. 0 and 24000 pass everything. */
  readonly lowHz: number;
  readonly highHz: number;
}

/** A good FM receiver: a trace of noise, no extremes. */
export const defaultReception: ReceptionSettings = { gainDb: -2, noiseDb: -52, lowHz: 40, highHz: 14_000 };

/** Nothing is added and nothing taken away: every sample arrives as it was sent. */
export const cleanReception: ReceptionSettings = { gainDb: 0, noiseDb: null, lowHz: 0, highHz: 24_000 };

/**
 * @throws StationError `station/bad-option` naming the first setting that is out of range
 */
export function checkReception(settings: ReceptionSettings): ReceptionSettings {
  const checkRange = (name: keyof ReceptionSettings, low: number, high: number) => {
    const value = settings[name];
    if (typeof value === "number" && value >= low && value <= high) return;
    throw new StationError("station/bad-option", "usage", `${name} must be ${low} to ${high}, not ${value}.`);
  };
  checkRange("gainDb", -40, 12);
  if (settings.noiseDb !== null) checkRange("noiseDb", -90, 0);
  checkRange("lowHz", 0, 20_000);
  checkRange("highHz", 100, 24_000);
  if (settings.lowHz >= settings.highHz) {
    throw new StationError(
      "station/bad-option",
      "usage",
      `lowHz (${settings.lowHz}) must be below highHz (${settings.highHz}).`,
    );
  }
  return {
    gainDb: settings.gainDb,
    noiseDb: settings.noiseDb,
    lowHz: settings.lowHz,
    highHz: settings.highHz,
  };
}

/** Direct form I section, a0 = 1. */
interface Section {
  b0: number;
  b1: number;
  b2: number;
  a1: number;
  a2: number;
}

const through: Section = { b0: 1, b1: 0, b2: 0, a1: 0, a2: 0 };
/** Uniform noise in [-1, 1) has an RMS of 1/sqrt(3). */
const uniformToRms = 1.7320508075688772;

/**
 * The path of a station without a network: the sound arrives at once, through a band limit, a gain and noise. The noise is
 * seeded, so a virtual run hears the same noise every time.
 */
export class Reception implements SoundPath {
  #settings: ReceptionSettings;
  #handler: (block: Float32Array, startFrame: number) => void = () => {};
  #received = new Float32Array(0);
  #highPass = through;
  #lowPass = through;
  #gain = 1;
  #noise = 0;
  readonly #random: Random;
  /** Per channel and section x1, x2, y1, y2. */
  readonly #state = new Float64Array(stationChannels * 2 * 4);

  constructor(seed: number, settings: ReceptionSettings = defaultReception) {
    this.#random = new SeededRandom(seed, 0x30_0000);
    this.#settings = checkReception(settings);
    this.#apply();
  }

  get settings(): ReceptionSettings {
    return this.#settings;
  }

  /** Takes effect with the next block. @throws StationError `station/bad-option` */
  change(settings: ReceptionSettings): void {
    this.#settings = checkReception(settings);
    this.#apply();
  }

  onReceive(handler: (block: Float32Array, startFrame: number) => void): void {
    this.#handler = handler;
  }

  send(block: Float32Array, startFrame: number): void {
    if (this.#received.length !== block.length) this.#received = new Float32Array(block.length);
    const out = this.#received;
    for (let channel = 0; channel < stationChannels; channel++) {
      this.#filter(block, out, channel, 2 * channel, this.#highPass);
      this.#filter(out, out, channel, 2 * channel + 1, this.#lowPass);
    }
    const gain = this.#gain;
    const noise = this.#noise;
    for (let i = 0; i < out.length; i++) {
      out[i] = out[i]! * gain + (noise === 0 ? 0 : (this.#random.next() * 2 - 1) * noise);
    }
    this.#handler(out, startFrame);
  }

  async close(): Promise<void> {}

  #apply(): void {
    const { gainDb, noiseDb, lowHz, highHz } = this.#settings;
    this.#gain = decibelsToGain(gainDb);
    this.#noise = noiseDb === null ? 0 : decibelsToGain(noiseDb) * uniformToRms;
    this.#highPass = lowHz === 0 ? through : butterworth(lowHz, true);
    this.#lowPass = highHz >= 24_000 ? through : butterworth(Math.min(highHz, 23_500), false);
  }

  #filter(from: Float32Array, to: Float32Array, channel: number, slot: number, section: Section): void {
    const { b0, b1, b2, a1, a2 } = section;
    const state = this.#state;
    let x1 = state[4 * slot]!;
    let x2 = state[4 * slot + 1]!;
    let y1 = state[4 * slot + 2]!;
    let y2 = state[4 * slot + 3]!;
    for (let i = channel; i < from.length; i += stationChannels) {
      const x = from[i]!;
      const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
      x2 = x1;
      x1 = x;
      y2 = y1;
      y1 = y;
      to[i] = y;
    }
    state[4 * slot] = x1;
    state[4 * slot + 1] = x2;
    state[4 * slot + 2] = y1;
    state[4 * slot + 3] = y2;
  }
}

/** Second-order Butterworth section by the bilinear transform (Bristow-Johnson's cookbook, Q = 1/sqrt(2)). */
function butterworth(hz: number, isHighPass: boolean): Section {
  const turns = hz / stationRateHz;
  const sine = sinTurns(turns);
  const cosine = sinTurns(turns + 0.25);
  const alpha = sine / Math.SQRT2;
  const a0 = 1 + alpha;
  const edge = isHighPass ? (1 + cosine) / 2 : (1 - cosine) / 2;
  return {
    b0: edge / a0,
    b1: (isHighPass ? -2 * edge : 2 * edge) / a0,
    b2: edge / a0,
    a1: (-2 * cosine) / a0,
    a2: (1 - alpha) / a0,
  };
}
