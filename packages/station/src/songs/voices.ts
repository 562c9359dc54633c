import type { Random } from "@longwave/base";
import type { Envelope, FmPatch, Patch, PluckPatch, TonePatch } from "./patches.ts";
import { sinTurns, tableFor, tableLength, timbreOf } from "./waveforms.ts";

/** Frames of the renderer's inner block: controls (vibrato, cut-off) move once per block, at 200 Hz. */
export const controlFrames = 240;
const rateHz = 48000;
const silence = 1e-4;
/** Room for the longest string: 48 kHz / 1900 samples = 25 Hz. */
const stringLength = 1900;

/**
 * One sounding note. Voices come from a pool, so playing allocates nothing. A voice adds itself to a mono bus of
 * `controlFrames` frames; all state moves on by exactly one block a call.
 */
export class Voice {
  active = false;
  /** Which bus it plays to. */
  part = 0;
  #patch: Patch | undefined;
  #delayFrames = 0;
  #heldFrames = 0;
  #hz = 0;
  #level = 0;
  #age = 0;
  #envelope = 0;
  #rising = false;
  #phase = 0;
  #phase2 = 0;
  #filter = 0;
  #filter2 = 0;
  #sweep = 0;
  readonly #string = new Float32Array(stringLength);
  #stringPeriod = 0;
  #stringAt = 0;
  #stringLast = 0;
  #stringTune = 0;

  /**
   * @param delayFrames frames of the coming block before it sounds, in [0, controlFrames)
   * @param heldFrames until its release
   * @param velocity in [0, 1]
   */
  start(
    patch: Patch,
    part: number,
    delayFrames: number,
    heldFrames: number,
    hz: number,
    velocity: number,
    random: Random,
  ): void {
    this.active = true;
    this.part = part;
    this.#patch = patch;
    this.#delayFrames = delayFrames;
    this.#heldFrames = heldFrames;
    this.#hz = hz;
    this.#level = patch.gain * velocity;
    this.#age = 0;
    this.#envelope = 0;
    this.#rising = true;
    this.#phase = 0;
    this.#phase2 = 0.37;
    this.#filter = 0;
    this.#filter2 = 0;
    this.#sweep = 1;
    if (patch.kind === "pluck") this.#excite(patch, velocity, random);
  }

  /** Adds the next block to `bus`. */
  render(bus: Float64Array): void {
    const patch = this.#patch;
    if (patch === undefined) return;
    if (patch.kind === "tone") this.#renderTone(patch, bus);
    else if (patch.kind === "fm") this.#renderFm(patch, bus);
    else this.#renderPluck(patch, bus);
    this.#age += controlFrames - this.#delayFrames;
    this.#delayFrames = 0;
  }

  #renderTone(patch: TonePatch, bus: Float64Array): void {
    const table = tableFor(timbreOf(patch.timbre), this.#hz);
    const seconds = this.#age / rateHz;
    const depth = patch.vibrato * Math.min(1, seconds * 3);
    const hz = this.#hz * (1 + depth * sinTurns(seconds * 5.2));
    const step = (hz / rateHz) * tableLength;
    const step2 = step * (1 + patch.detune);
    const second = patch.detune === 0 ? 0 : 1;
    const cutoff = (patch.cutoffHz + patch.sweepHz * this.#sweep + this.#hz) * (6.2832 / rateHz);
    const a = cutoff / (1 + cutoff);
    this.#sweep *= 1 - Math.min(0.9, controlFrames / (patch.sweepSeconds * rateHz));
    const { attack, decay, release } = envelopeSteps(patch.envelope);
    const sustain = patch.envelope.sustain;
    let envelope = this.#envelope;
    let rising = this.#rising;
    let phase = this.#phase * tableLength;
    let phase2 = this.#phase2 * tableLength;
    let filter = this.#filter;
    let filter2 = this.#filter2;
    let left = this.#heldFrames - this.#age;
    const level = this.#level;
    for (let i = this.#delayFrames; i < controlFrames; i++, left--) {
      if (left <= 0) envelope -= envelope * release;
      else if (rising) {
        envelope += attack;
        if (envelope >= 1) {
          envelope = 1;
          rising = false;
        }
      } else envelope += (sustain - envelope) * decay;
      const at = phase | 0;
      let value = table[at]! + (table[at + 1]! - table[at]!) * (phase - at);
      phase += step;
      if (phase >= tableLength) phase -= tableLength;
      if (second === 1) {
        const at2 = phase2 | 0;
        value += table[at2]! + (table[at2 + 1]! - table[at2]!) * (phase2 - at2);
        phase2 += step2;
        if (phase2 >= tableLength) phase2 -= tableLength;
      }
      filter += a * (value - filter);
      filter2 += a * (filter - filter2);
      bus[i]! += filter2 * envelope * level;
    }
    this.#phase = phase / tableLength;
    this.#phase2 = phase2 / tableLength;
    this.#filter = filter;
    this.#filter2 = filter2;
    this.#envelope = envelope;
    this.#rising = rising;
    // A note let go while it still rose has stopped rising.
    if ((!rising || left <= 0) && envelope < silence) this.active = false;
  }

  #renderFm(patch: FmPatch, bus: Float64Array): void {
    const table = timbreOf("sine").levels[0]!;
    const step = (this.#hz / rateHz) * tableLength;
    const step2 = step * patch.ratio;
    // High notes get less modulation, so that the side bands stay below half the sample rate.
    const room = Math.min(1, 2400 / (this.#hz * patch.ratio));
    const index =
      (patch.restIndex + (patch.index - patch.restIndex) * this.#sweep) *
      room *
      tableLength *
      (0.5 + this.#level);
    this.#sweep *= 1 - Math.min(0.9, controlFrames / (patch.indexSeconds * rateHz));
    const { attack, decay, release } = envelopeSteps(patch.envelope);
    const sustain = patch.envelope.sustain;
    let envelope = this.#envelope;
    let rising = this.#rising;
    let phase = this.#phase * tableLength;
    let phase2 = this.#phase2 * tableLength;
    let left = this.#heldFrames - this.#age;
    for (let i = this.#delayFrames; i < controlFrames; i++, left--) {
      if (left <= 0) envelope -= envelope * release;
      else if (rising) {
        envelope += attack;
        if (envelope >= 1) {
          envelope = 1;
          rising = false;
        }
      } else envelope += (sustain - envelope) * decay;
      let carrier = phase + index * table[phase2 | 0]!;
      carrier -= Math.floor(carrier / tableLength) * tableLength;
      const at = carrier | 0;
      bus[i]! += (table[at]! + (table[at + 1]! - table[at]!) * (carrier - at)) * envelope * this.#level;
      phase += step;
      if (phase >= tableLength) phase -= tableLength;
      phase2 += step2;
      while (phase2 >= tableLength) phase2 -= tableLength;
    }
    this.#phase = phase / tableLength;
    this.#phase2 = phase2 / tableLength;
    this.#envelope = envelope;
    this.#rising = rising;
    // A note let go while it still rose has stopped rising.
    if ((!rising || left <= 0) && envelope < silence) this.active = false;
  }

  /** Fills the string with noise, darker for a softer stroke, without a mean (a mean would never decay). */
  #excite(patch: PluckPatch, velocity: number, random: Random): void {
    const blend = stringBlend(patch, this.#hz);
    const exact = rateHz / this.#hz - (1 - blend) / blend;
    const period = Math.max(2, Math.min(stringLength, Math.floor(exact)));
    const smooth = 0.15 + 0.8 * patch.brightness * (0.4 + 0.6 * velocity);
    let last = 0;
    let mean = 0;
    for (let i = 0; i < period; i++) {
      last += smooth * (random.next() * 2 - 1 - last);
      this.#string[i] = last;
      mean += last;
    }
    mean /= period;
    for (let i = 0; i < period; i++) this.#string[i] = this.#string[i]! - mean;
    this.#stringPeriod = period;
    this.#stringTune = exact - period;
    this.#stringAt = 0;
    this.#stringLast = 0;
    this.#envelope = 1;
    this.#rising = false;
  }

  #renderPluck(patch: PluckPatch, bus: Float64Array): void {
    const string = this.#string;
    const period = this.#stringPeriod;
    // 6.9 time constants are 60 dB.
    const loss = Math.min(0.5, 6.9 / (patch.ringSeconds * 220)) * (220 / Math.max(110, this.#hz));
    const keep = 1 - loss;
    const tune = this.#stringTune;
    const release = Math.min(1, 1 / (patch.release * rateHz));
    const blend = stringBlend(patch, this.#hz);
    let at = this.#stringAt;
    let last = this.#stringLast;
    let filter = this.#filter;
    let envelope = this.#envelope;
    let left = this.#heldFrames - this.#age;
    for (let i = this.#delayFrames; i < controlFrames; i++, left--) {
      if (left <= 0) envelope -= envelope * release;
      const value = string[at]!;
      const tuned = value + (last - value) * tune;
      last = value;
      filter = tuned * blend + filter * (1 - blend);
      string[at] = filter * keep;
      if (++at === period) at = 0;
      bus[i]! += tuned * envelope * this.#level;
    }
    this.#stringAt = at;
    this.#stringLast = last;
    this.#filter = filter;
    this.#envelope = envelope;
    if (envelope < silence || this.#age > patch.ringSeconds * rateHz) this.active = false;
  }
}

/** Weight of the new sample in the string's loop filter; the filter delays by (1 - blend) / blend samples. */
function stringBlend(patch: PluckPatch, hz: number): number {
  return 0.5 + 0.42 * patch.brightness * Math.min(1, hz / 500);
}

const stepsOf = new WeakMap<Envelope, { attack: number; decay: number; release: number }>();

/** Per-sample steps of an envelope; kept, because patches are few and constant. */
function envelopeSteps(envelope: Envelope): { attack: number; decay: number; release: number } {
  let steps = stepsOf.get(envelope);
  if (steps === undefined) {
    steps = {
      attack: 1 / (envelope.attack * rateHz),
      decay: Math.min(1, 2.3 / (envelope.decay * rateHz)),
      release: Math.min(1, 4 / (envelope.release * rateHz)),
    };
    stepsOf.set(envelope, steps);
  }
  return steps;
}
