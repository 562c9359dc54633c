import { SeededRandom } from "@longwave/base";
import { elementaryFunctions } from "../model/core.ts";
import type { Manner } from "./phonemes.ts";
import type { Segment } from "./prosody.ts";
import { Resonator } from "./resonator.ts";

/** A built-in speaker. */
export interface FormantVoice {
  readonly baseHz: number;
  /** Formants times this: about 1 for a man, 1.16 for a woman. */
  readonly tract: number;
  /** Breathiness: aspiration noise added to voicing, 0 to 1. */
  readonly breath: number;
}

/** Sample rate of the synthesizer in Hz. */
export const formantSampleRate = 24_000;
const frameSamples = 120; // controls change every 5 ms
/** Formants above the third do not carry meaning; theirs are fixed (Klatt 1980). */
const upperFormants = [
  [3300, 250],
  [3850, 200],
  [4900, 1000],
] as const;
/** How much of the boundary between two phonemes follows each of them: consonants pull vowels, not the other way round. */
const pull: Readonly<Record<Manner, number>> = {
  vowel: 1,
  aspirate: 0.2,
  glide: 2,
  liquid: 2,
  nasal: 2.5,
  fricative: 2.5,
  affricate: 3,
  stop: 3,
  silence: 0.2,
};
const transitionMs = 45;

/**
 * Cascade/parallel formant synthesizer after Klatt (1980): a glottal pulse and aspiration through a cascade of five formants with a
 * nasal pair, frication through parallel resonators. Deterministic: same segments, voice and seed, same samples on every machine.
 */
export class FormantSynthesizer {
  readonly #voice: FormantVoice;
  readonly #random: SeededRandom;
  readonly #cascade: Resonator[];
  readonly #parallel: Resonator[];
  readonly #nasalPole = new Resonator(formantSampleRate);
  #phase = 0;
  #periodHz: number;
  #lastNoise = 0;
  #lastAspiration = 0;
  #tilt = 0;
  #pitch = 1;
  #voicing = 0;
  #aspiration = 0;
  readonly #frication = new Float64Array(6);

  constructor(voice: FormantVoice, seed: number) {
    this.#voice = voice;
    this.#random = new SeededRandom(seed);
    this.#cascade = Array.from({ length: 5 }, () => new Resonator(formantSampleRate));
    this.#parallel = Array.from({ length: 5 }, () => new Resonator(formantSampleRate));
    for (const [index, [frequency, bandwidth]] of upperFormants.entries()) {
      if (index < 2) this.#cascade[3 + index]!.tune(frequency * Math.min(voice.tract, 1.1), bandwidth);
      this.#parallel[2 + index]!.tune(frequency, bandwidth);
    }
    this.#nasalPole.tune(270, 100);
    this.#periodHz = voice.baseHz;
  }

  /** Speaks one segment between its neighbours; returns new samples at 24 kHz within [-1, 1]. */
  render(previous: Segment | undefined, segment: Segment, next: Segment | undefined): Float32Array {
    const frames = Math.max(1, Math.round((segment.durationMs * formantSampleRate) / 1000 / frameSamples));
    const samples = new Float32Array(frames * frameSamples);
    for (let frame = 0; frame < frames; frame++) {
      this.#setFrame(previous, segment, next, (frame + 0.5) / frames);
      const ramp = { voicing: levelOf(segment.voicing), aspiration: levelOf(segment.aspiration) };
      this.#renderFrame(samples, frame * frameSamples, segment, ramp.voicing, ramp.aspiration);
    }
    return samples;
  }

  #setFrame(previous: Segment | undefined, segment: Segment, next: Segment | undefined, at: number): void {
    const { phoneme, durationMs } = segment;
    const half = Math.min(transitionMs, durationMs / 2);
    const fromStart = at * durationMs;
    const toEnd = durationMs - fromStart;
    for (let i = 0; i < 3; i++) {
      const begin = phoneme.formants[i]!;
      const end = phoneme.glideTo?.[i] ?? begin;
      let frequency = begin + (end - begin) * at;
      let bandwidth = phoneme.bandwidths[i]!;
      if (previous !== undefined && fromStart < half) {
        const edge = boundary(
          previous,
          segment,
          previous.phoneme.glideTo?.[i] ?? previous.phoneme.formants[i]!,
          begin,
        );
        frequency = edge + ((frequency - edge) * fromStart) / half;
        bandwidth += (previous.phoneme.bandwidths[i]! - bandwidth) * 0.5 * (1 - fromStart / half);
      } else if (next !== undefined && toEnd < half) {
        const edge = boundary(segment, next, end, next.phoneme.formants[i]!);
        frequency = edge + ((frequency - edge) * toEnd) / half;
        bandwidth += (next.phoneme.bandwidths[i]! - bandwidth) * 0.5 * (1 - toEnd / half);
      }
      this.#cascade[i]!.tune(frequency * this.#voice.tract, bandwidth);
      if (i > 0) this.#parallel[i - 1]!.tune(frequency * this.#voice.tract, bandwidth);
    }
    const from = previous?.pitch ?? segment.pitch;
    this.#pitch = from + (segment.pitch - from) * at;
  }

  #renderFrame(out: Float32Array, at: number, segment: Segment, voicing: number, aspiration: number): void {
    const targets = segment.phoneme.frication;
    const isNasal = segment.phoneme.manner === "nasal";
    for (let n = 0; n < frameSamples; n++) {
      // Levels glide with a time constant of 4 ms, so that nothing clicks; bursts set in at once.
      this.#voicing += (voicing - this.#voicing) * 0.0104;
      this.#aspiration += (aspiration - this.#aspiration) * 0.0104;
      const white = this.#random.next() * 2 - 1;
      const noise = white - this.#lastNoise * 0.5;
      this.#lastNoise = white;

      const glottal = this.#glottis();
      const breath = this.#voicing * this.#voice.breath * (this.#phase < 0.6 ? 1 : 0.3);
      const aspirated = white * (this.#aspiration + breath) * 0.18 + this.#lastAspiration * 0.4;
      this.#lastAspiration = aspirated;
      let sample = glottal * this.#voicing + aspirated;
      if (isNasal) {
        // A pole at 270 Hz and a damped band above it stand for the nose.
        sample = sample * 0.35 + this.#nasalPole.process(sample) * 0.3;
      }
      for (const resonator of this.#cascade) sample = resonator.process(sample);

      let fricative = 0;
      for (let i = 0; i < 6; i++) {
        const target = targets === undefined ? 0 : levelOf(targets[i]!) * segment.frication;
        const level = (this.#frication[i] = this.#frication[i]! + (target - this.#frication[i]!) * 0.012);
        if (level < 1e-6) {
          if (i < 5) this.#parallel[i]!.process(0);
          continue;
        }
        // Neighbouring formants have opposite signs, so that they do not cancel between their peaks.
        fricative +=
          i === 5 ? noise * level * 0.3 : this.#parallel[i]!.process(noise * level) * (i & 1 ? -1 : 1);
      }
      const value = sample * 0.3 + fricative * 0.36;
      out[at + n] = softLimit(value);
    }
  }

  /** Derivative of the glottal flow a t^2 - b t^3 over the open 60 % of the period, with the upper slope softened. */
  #glottis(): number {
    this.#phase += this.#periodHz / formantSampleRate;
    if (this.#phase >= 1) {
      this.#phase -= 1;
      // A trace of jitter keeps long vowels from buzzing.
      this.#periodHz = this.#voice.baseHz * this.#pitch * (1 + (this.#random.next() - 0.5) * 0.012);
    }
    const t = this.#phase / 0.6;
    const flow = t < 1 ? 2 * t - 3 * t * t : 0;
    this.#tilt += (flow - this.#tilt) * 0.55;
    return this.#tilt;
  }
}

function boundary(left: Segment, right: Segment, leftHz: number, rightHz: number): number {
  const a = pull[left.phoneme.manner];
  const b = pull[right.phoneme.manner];
  return (leftHz * a + rightHz * b) / (a + b);
}

const levels = new Map<number, number>();

/** dB to amplitude, 60 dB = 1; 0 is silence. */
function levelOf(decibel: number): number {
  let level = levels.get(decibel);
  if (level === undefined) {
    level = decibel === 0 ? 0 : elementaryFunctions().exponential(((decibel - 60) / 20) * Math.LN10);
    levels.set(decibel, level);
  }
  return level;
}

/** Linear to 0.7, then bends towards 1. */
function softLimit(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude <= 0.7) return x;
  const over = magnitude - 0.7;
  const limited = 0.7 + (0.3 * over) / (over + 0.3);
  return x < 0 ? -limited : limited;
}
