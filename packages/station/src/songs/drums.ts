import type { Random } from "@longwave/base";
import { sinTurns, tableLength, timbreOf } from "./waveforms.ts";

export type DrumName = "kick" | "snare" | "clap" | "rim" | "hat" | "openHat" | "shaker" | "tom" | "crash";

/** How a drum sounds: a falling sine, and noise between a high-pass and a low-pass. Times in seconds. */
interface DrumRecipe {
  readonly fromHz: number;
  readonly toHz: number;
  readonly fallSeconds: number;
  readonly toneGain: number;
  readonly toneSeconds: number;
  readonly noiseGain: number;
  readonly noiseSeconds: number;
  /** One-pole coefficients of the noise's high-pass and low-pass, in (0, 1]. */
  readonly highPass: number;
  readonly lowPass: number;
  /** Bursts before the tail; a clap is several hands. */
  readonly bursts: number;
}

const none = { fromHz: 0, toHz: 0, fallSeconds: 1, toneGain: 0, toneSeconds: 0.01, bursts: 1 };

const recipes: Readonly<Record<DrumName, DrumRecipe>> = {
  kick: {
    fromHz: 170,
    toHz: 48,
    fallSeconds: 0.035,
    toneGain: 0.95,
    toneSeconds: 0.28,
    noiseGain: 0.12,
    noiseSeconds: 0.008,
    highPass: 0.1,
    lowPass: 0.5,
    bursts: 1,
  },
  snare: {
    fromHz: 240,
    toHz: 178,
    fallSeconds: 0.03,
    toneGain: 0.32,
    toneSeconds: 0.1,
    noiseGain: 0.42,
    noiseSeconds: 0.15,
    highPass: 0.12,
    lowPass: 0.75,
    bursts: 1,
  },
  clap: { ...none, noiseGain: 0.5, noiseSeconds: 0.13, highPass: 0.16, lowPass: 0.4, bursts: 3 },
  rim: {
    ...none,
    fromHz: 1650,
    toHz: 1500,
    toneGain: 0.3,
    toneSeconds: 0.025,
    noiseGain: 0.2,
    noiseSeconds: 0.012,
    highPass: 0.3,
    lowPass: 0.9,
  },
  hat: { ...none, noiseGain: 0.24, noiseSeconds: 0.045, highPass: 0.72, lowPass: 1 },
  openHat: { ...none, noiseGain: 0.22, noiseSeconds: 0.26, highPass: 0.7, lowPass: 1 },
  shaker: { ...none, noiseGain: 0.16, noiseSeconds: 0.07, highPass: 0.5, lowPass: 0.9 },
  tom: {
    fromHz: 190,
    toHz: 105,
    fallSeconds: 0.09,
    toneGain: 0.6,
    toneSeconds: 0.3,
    noiseGain: 0.08,
    noiseSeconds: 0.04,
    highPass: 0.1,
    lowPass: 0.5,
    bursts: 1,
  },
  crash: { ...none, noiseGain: 0.26, noiseSeconds: 1.3, highPass: 0.55, lowPass: 1 },
};

const rateHz = 48000;
/** 60 dB are 6.9 time constants. */
const decay60 = 6.9;

/** One drum of the kit, as a stream of strokes; a new stroke cuts the old one off. */
export class Drum {
  readonly #recipe: DrumRecipe;
  readonly #noise: Random;
  readonly #sine = timbreOf("sine").levels[0]!;
  #level = 0;
  #toneEnvelope = 0;
  #noiseEnvelope = 0;
  #fall = 0;
  #phase = 0;
  #low = 0;
  #high = 0;
  #age = 0;

  constructor(name: DrumName, noise: Random) {
    this.#recipe = recipes[name];
    this.#noise = noise;
  }

  get active(): boolean {
    return this.#toneEnvelope > 1e-4 || this.#noiseEnvelope > 1e-4;
  }

  strike(velocity: number): void {
    this.#level = velocity;
    this.#toneEnvelope = this.#recipe.toneGain === 0 ? 0 : 1;
    this.#noiseEnvelope = 1;
    this.#fall = 1;
    this.#phase = 0;
    this.#age = 0;
  }

  /** Adds frames [start, end) to a mono bus. */
  render(bus: Float64Array, start: number, end: number): void {
    const recipe = this.#recipe;
    const toneDecay = decay60 / (recipe.toneSeconds * rateHz);
    const noiseDecay = decay60 / (recipe.noiseSeconds * rateHz);
    const fallDecay = 1 / (recipe.fallSeconds * rateHz);
    const burstFrames = recipe.bursts > 1 ? 480 : 0;
    const lastBurst = burstFrames * (recipe.bursts - 1);
    const { toHz, toneGain, noiseGain, lowPass, highPass } = recipe;
    const range = recipe.fromHz - toHz;
    const sine = this.#sine;
    const noise = this.#noise;
    const level = this.#level;
    let toneEnvelope = this.#toneEnvelope;
    let noiseEnvelope = this.#noiseEnvelope;
    let fall = this.#fall;
    let phase = this.#phase;
    let low = this.#low;
    let high = this.#high;
    let age = this.#age;
    for (let i = start; i < end; i++, age++) {
      let value = 0;
      if (toneEnvelope > 1e-4) {
        phase += ((toHz + range * fall) / rateHz) * tableLength;
        if (phase >= tableLength) phase -= tableLength;
        value = sine[phase | 0]! * toneEnvelope * toneGain;
        toneEnvelope -= toneEnvelope * toneDecay;
        fall -= fall * fallDecay;
      }
      const white = noise.next() * 2 - 1;
      low += lowPass * (white - low);
      high += highPass * (low - high);
      let shape = noiseEnvelope;
      if (age < lastBurst) shape *= 1 - (age % burstFrames) / burstFrames;
      else noiseEnvelope -= noiseEnvelope * noiseDecay;
      bus[i]! += (value + (low - high) * shape * noiseGain) * level;
    }
    this.#toneEnvelope = toneEnvelope;
    this.#noiseEnvelope = noiseEnvelope;
    this.#fall = fall;
    this.#phase = phase;
    this.#low = low;
    this.#high = high;
    this.#age = age;
  }
}

/** Position of each drum in the stereo image, -1 left to 1 right. */
export const drumPan: Readonly<Record<DrumName, number>> = {
  kick: 0,
  snare: 0.06,
  clap: -0.1,
  rim: 0.3,
  hat: 0.34,
  openHat: 0.34,
  shaker: -0.42,
  tom: -0.3,
  crash: -0.25,
};

/** Gains of an equal-power pan. */
export function panGains(pan: number): { left: number; right: number } {
  const turns = (pan + 1) / 8;
  return { left: sinTurns(0.25 - turns), right: sinTurns(turns) };
}
