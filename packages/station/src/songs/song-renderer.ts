import { SeededRandom } from "@longwave/base";
import { Drum, type DrumName, drumPan, panGains } from "./drums.ts";
import { patches } from "./patches.ts";
import { Room } from "./room.ts";
import type { PartName, Score } from "./score.ts";
import { controlFrames, Voice } from "./voices.ts";
import { noteHz } from "./waveforms.ts";

/** Enough for the densest chord of the slowest release; beyond it the oldest note gives way. */
const voiceCount = 40;
const parts: readonly PartName[] = ["lead", "harmony", "bass"];
const mix: Readonly<Record<PartName, { gain: number; pan: number; send: number }>> = {
  lead: { gain: 0.95, pan: 0.12, send: 0.5 },
  harmony: { gain: 0.62, pan: -0.22, send: 0.55 },
  bass: { gain: 0.9, pan: 0, send: 0.03 },
};
const drumNames: readonly DrumName[] = [
  "kick",
  "snare",
  "clap",
  "rim",
  "hat",
  "openHat",
  "shaker",
  "tom",
  "crash",
];
const drumGain = 0.62;
/** The song is faded out over its last second, so that whatever still rings ends without a click. */
const fadeFrames = 48000;

/**
 * Plays a score: 48 kHz, stereo, interleaved f32, peak below 1. `read` gives the same samples for every way of cutting the
 * song into blocks, on every machine.
 *
 * @example
 * const renderer = new SongRenderer(composeSong(7, 0));
 * const block = new Float32Array(2 * 960);
 * while (renderer.read(block) > 0) play(block);
 */
export class SongRenderer {
  readonly score: Score;
  readonly #voices = Array.from({ length: voiceCount }, () => new Voice());
  readonly #drums = new Map<DrumName, Drum>();
  readonly #partBuses = parts.map(() => new Float64Array(controlFrames));
  readonly #drumBus = new Float64Array(controlFrames);
  readonly #left = new Float64Array(controlFrames);
  readonly #right = new Float64Array(controlFrames);
  readonly #send = new Float64Array(controlFrames);
  readonly #room: Room;
  readonly #random: SeededRandom;
  readonly #gains = parts.map((part) => panGains(mix[part].pan));
  readonly #drumGains = drumNames.map((name) => panGains(drumPan[name]));
  #nextVoice = 0;
  #noteIndex = 0;
  #drumIndex = 0;
  #blockStart = 0;
  #inBlock = controlFrames;
  #position = 0;

  constructor(score: Score) {
    this.score = score;
    this.#random = new SeededRandom(score.seed, 0x60_0000);
    drumNames.forEach((name, i) => {
      this.#drums.set(name, new Drum(name, new SeededRandom(score.seed, 0x70_0000 + i)));
    });
    this.#room = new Room(score.space);
    this.#blockStart = -controlFrames;
  }

  /** Sample frames given so far. */
  get position(): number {
    return this.#position;
  }

  /** Fills `into` with up to `into.length / 2` sample frames from `startFrame` of it; returns how many, 0 at the end. */
  read(into: Float32Array, startFrame = 0): number {
    const room = Math.floor(into.length / 2) - startFrame;
    const count = Math.min(room, this.score.lengthFrames - this.#position);
    for (let done = 0; done < count; ) {
      if (this.#inBlock === controlFrames) this.#renderBlock();
      const take = Math.min(count - done, controlFrames - this.#inBlock);
      let to = 2 * (startFrame + done);
      const [left, right] = [this.#left, this.#right];
      const end = this.#inBlock + take;
      for (let i = this.#inBlock; i < end; i++) {
        into[to++] = left[i]!;
        into[to++] = right[i]!;
      }
      this.#inBlock += take;
      done += take;
    }
    this.#position += count;
    return count;
  }

  #renderBlock(): void {
    this.#blockStart += controlFrames;
    this.#inBlock = 0;
    this.#left.fill(0);
    this.#right.fill(0);
    this.#send.fill(0);
    this.#startNotes();
    for (const bus of this.#partBuses) bus.fill(0);
    for (const voice of this.#voices) if (voice.active) voice.render(this.#partBuses[voice.part]!);
    for (let part = 0; part < parts.length; part++) {
      const { gain, send } = mix[parts[part]!];
      this.#pan(this.#partBuses[part]!, gain, this.#gains[part]!, send);
    }
    this.#renderDrums();
    this.#room.process(this.#send, this.#left, this.#right);
    this.#finish();
  }

  #startNotes(): void {
    const { notes } = this.score;
    for (; this.#noteIndex < notes.length; this.#noteIndex++) {
      const note = notes[this.#noteIndex]!;
      const delay = note.startFrame - this.#blockStart;
      if (delay >= controlFrames) break;
      const part = parts.indexOf(note.part);
      const patch = patches[this.score.patches[note.part]];
      this.#freeVoice().start(
        patch,
        part,
        Math.max(0, delay),
        note.heldFrames,
        noteHz[note.midi]!,
        note.velocity,
        this.#random,
      );
    }
  }

  /** A silent voice, or the one that has waited longest for its turn. */
  #freeVoice(): Voice {
    for (let i = 0; i < voiceCount; i++) {
      const voice = this.#voices[(this.#nextVoice + i) % voiceCount]!;
      if (voice.active) continue;
      this.#nextVoice = (this.#nextVoice + i + 1) % voiceCount;
      return voice;
    }
    const voice = this.#voices[this.#nextVoice]!;
    this.#nextVoice = (this.#nextVoice + 1) % voiceCount;
    return voice;
  }

  #renderDrums(): void {
    const { drums } = this.score;
    const firstIndex = this.#drumIndex;
    while (
      this.#drumIndex < drums.length &&
      drums[this.#drumIndex]!.startFrame < this.#blockStart + controlFrames
    ) {
      this.#drumIndex++;
    }
    for (let k = 0; k < drumNames.length; k++) {
      const name = drumNames[k]!;
      const drum = this.#drums.get(name)!;
      this.#drumBus.fill(0);
      let at = 0;
      let sounded = drum.active;
      for (let i = firstIndex; i < this.#drumIndex; i++) {
        const event = drums[i]!;
        if (event.drum !== name) continue;
        const strikeAt = Math.max(0, event.startFrame - this.#blockStart);
        if (drum.active) drum.render(this.#drumBus, at, strikeAt);
        at = strikeAt;
        drum.strike(event.velocity);
        sounded = true;
      }
      if (!sounded) continue;
      drum.render(this.#drumBus, at, controlFrames);
      this.#pan(this.#drumBus, drumGain, this.#drumGains[k]!, name === "kick" ? 0.02 : 0.18);
    }
  }

  #pan(bus: Float64Array, gain: number, pan: { left: number; right: number }, send: number): void {
    const [left, right, room] = [this.#left, this.#right, this.#send];
    const { left: toLeft, right: toRight } = pan;
    for (let i = 0; i < controlFrames; i++) {
      const value = bus[i]! * gain;
      left[i]! += value * toLeft;
      right[i]! += value * toRight;
      room[i]! += value * send;
    }
  }

  /** A gentle limiter, x (27 + x^2) / (27 + 9 x^2) clipped at +-1 (close to tanh), and the fade at the end. */
  #finish(): void {
    const intoFade = this.#blockStart - (this.score.lengthFrames - fadeFrames);
    const [left, right] = [this.#left, this.#right];
    for (let i = 0; i < controlFrames; i++) {
      const fade = Math.max(0, Math.min(1, 1 - (intoFade + i) / fadeFrames));
      left[i] = limit(left[i]! * 1.15) * fade * 0.9;
      right[i] = limit(right[i]! * 1.15) * fade * 0.9;
    }
  }
}

function limit(x: number): number {
  if (x >= 3) return 1;
  if (x <= -3) return -1;
  const square = x * x;
  return (x * (27 + square)) / (27 + 9 * square);
}
