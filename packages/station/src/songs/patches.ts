import type { TimbreName } from "./waveforms.ts";

/** Times in seconds; `sustain` in [0, 1]. The attack is linear, decay and release exponential. */
export interface Envelope {
  readonly attack: number;
  readonly decay: number;
  readonly sustain: number;
  readonly release: number;
}

/** Two detuned table oscillators through a falling low-pass. */
export interface TonePatch {
  readonly kind: "tone";
  readonly timbre: TimbreName;
  /** Frequency ratio of the second oscillator minus 1; 0 leaves it out. */
  readonly detune: number;
  readonly envelope: Envelope;
  /** Cut-off in Hz at rest, and what a note's beginning adds to it. */
  readonly cutoffHz: number;
  readonly sweepHz: number;
  readonly sweepSeconds: number;
  /** Depth of the vibrato as a frequency ratio minus 1. */
  readonly vibrato: number;
  readonly gain: number;
}

/** Two-operator frequency modulation: bells, electric pianos, basses. */
export interface FmPatch {
  readonly kind: "fm";
  /** Modulator frequency / carrier frequency. */
  readonly ratio: number;
  /** Modulation index at the beginning, in turns of phase, and where it settles. */
  readonly index: number;
  readonly restIndex: number;
  readonly indexSeconds: number;
  readonly envelope: Envelope;
  readonly gain: number;
}

/** A plucked string (Karplus and Strong, 1983). */
export interface PluckPatch {
  readonly kind: "pluck";
  /** Seconds until a string of A3 has lost 60 dB. */
  readonly ringSeconds: number;
  /** 0 dark to 1 bright. */
  readonly brightness: number;
  readonly release: number;
  readonly gain: number;
}

export type Patch = TonePatch | FmPatch | PluckPatch;

export type PatchName =
  | "sawLead"
  | "squareLead"
  | "pulseLead"
  | "flute"
  | "reed"
  | "choir"
  | "warmPad"
  | "brightPad"
  | "organ"
  | "organStab"
  | "sawStab"
  | "drive"
  | "electricPiano"
  | "vibraphone"
  | "bell"
  | "brass"
  | "nylon"
  | "steel"
  | "harp"
  | "sawBass"
  | "roundBass"
  | "subBass"
  | "fmBass"
  | "uprightBass";

const soft: Envelope = { attack: 0.35, decay: 0.8, sustain: 0.8, release: 0.7 };
const held: Envelope = { attack: 0.02, decay: 0.25, sustain: 0.75, release: 0.14 };
const struck: Envelope = { attack: 0.003, decay: 0.9, sustain: 0.0, release: 0.22 };
const short: Envelope = { attack: 0.003, decay: 0.13, sustain: 0.25, release: 0.08 };

function tone(timbre: TimbreName, envelope: Envelope, options: Partial<TonePatch> = {}): TonePatch {
  return {
    kind: "tone",
    timbre,
    envelope,
    detune: 0,
    cutoffHz: 6000,
    sweepHz: 0,
    sweepSeconds: 0.1,
    vibrato: 0,
    gain: 0.3,
    ...options,
  };
}

function fm(ratio: number, index: number, envelope: Envelope, options: Partial<FmPatch> = {}): FmPatch {
  return {
    kind: "fm",
    ratio,
    index,
    restIndex: index / 6,
    indexSeconds: 0.3,
    envelope,
    gain: 0.3,
    ...options,
  };
}

/** Every instrument of the programme's band. */
export const patches: Readonly<Record<PatchName, Patch>> = {
  sawLead: tone("saw", held, { detune: 0.004, cutoffHz: 2600, sweepHz: 2400, vibrato: 0.004, gain: 0.24 }),
  squareLead: tone("square", held, { cutoffHz: 5200, vibrato: 0.005, gain: 0.19 }),
  pulseLead: tone("pulse", short, { cutoffHz: 7000, gain: 0.26 }),
  flute: tone("triangle", { ...held, attack: 0.06 }, { cutoffHz: 3200, vibrato: 0.006, gain: 0.42 }),
  reed: tone("reed", { ...held, attack: 0.04 }, { cutoffHz: 2900, vibrato: 0.004, gain: 0.26 }),
  choir: tone("voice", soft, { detune: 0.006, cutoffHz: 2800, vibrato: 0.003, gain: 0.17 }),
  warmPad: tone("saw", soft, { detune: 0.007, cutoffHz: 900, sweepHz: 500, sweepSeconds: 1.2, gain: 0.15 }),
  brightPad: tone("pulse", soft, {
    detune: 0.005,
    cutoffHz: 1700,
    sweepHz: 900,
    sweepSeconds: 0.8,
    gain: 0.15,
  }),
  organ: tone(
    "organ",
    { ...held, attack: 0.008, release: 0.06 },
    { detune: 0.002, cutoffHz: 5000, gain: 0.2 },
  ),
  organStab: tone("organ", short, { detune: 0.003, cutoffHz: 4200, gain: 0.28 }),
  sawStab: tone("saw", short, {
    detune: 0.006,
    cutoffHz: 1500,
    sweepHz: 3000,
    sweepSeconds: 0.07,
    gain: 0.2,
  }),
  drive: tone("square", held, { detune: 0.005, cutoffHz: 2000, sweepHz: 1200, gain: 0.17 }),
  electricPiano: fm(1, 0.24, { ...struck, decay: 1.3 }, { gain: 0.3 }),
  vibraphone: fm(4, 0.1, { ...struck, decay: 1.6 }, { restIndex: 0.01, indexSeconds: 0.12, gain: 0.32 }),
  bell: fm(3.5, 0.3, { ...struck, decay: 2.2, release: 0.9 }, { indexSeconds: 0.9, gain: 0.2 }),
  brass: fm(1, 0.34, { ...held, attack: 0.05 }, { restIndex: 0.22, indexSeconds: 0.2, gain: 0.24 }),
  nylon: { kind: "pluck", ringSeconds: 2.6, brightness: 0.45, release: 0.18, gain: 0.62 },
  steel: { kind: "pluck", ringSeconds: 4, brightness: 0.85, release: 0.2, gain: 0.5 },
  harp: { kind: "pluck", ringSeconds: 5, brightness: 0.6, release: 0.8, gain: 0.55 },
  sawBass: tone("saw", short, {
    detune: 0.003,
    cutoffHz: 420,
    sweepHz: 1100,
    sweepSeconds: 0.09,
    gain: 0.42,
  }),
  roundBass: tone("triangle", { ...held, attack: 0.006 }, { cutoffHz: 700, gain: 0.6 }),
  subBass: tone("sine", { ...held, attack: 0.01 }, { cutoffHz: 900, gain: 0.58 }),
  fmBass: fm(
    1,
    0.3,
    { ...short, sustain: 0.5, decay: 0.3 },
    { restIndex: 0.06, indexSeconds: 0.08, gain: 0.48 },
  ),
  uprightBass: { kind: "pluck", ringSeconds: 1.8, brightness: 0.3, release: 0.12, gain: 1.1 },
};
