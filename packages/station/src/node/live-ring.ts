import { SampleRing } from "@longwave/base";
import { stationChannels, stationRateHz } from "../sound.ts";
import type { Cue, ProgrammeSource, SourceAbsence } from "../stages.ts";

const samplesPerMs = (stationRateHz / 1000) * stationChannels;
/** Sound that may wait beyond where playing begins. */
const roomMs = 4000;
/** A sender whose clock is faster fills the ring in hours; beyond this it is emptied down to where playing begins. */
const surplusMs = 1700;

/** A source that plays what others push: live sound from elsewhere, with a clock of its own. Silence while there is none. */
export class LiveRing implements ProgrammeSource {
  readonly #ring: SampleRing;
  readonly #startAt: number;
  readonly #cue: Cue;
  readonly #scratch = new Float32Array(48_000);
  readonly #onClose: () => void;
  #isPlaying = false;
  #begun = false;
  #closed = false;
  #hadSound = false;
  /** Somebody is there who gives sound, though it may be late. */
  isConnected = false;

  /** @param startMs sound that must wait before playing begins, or goes on after a break */
  constructor(cue: Cue, startMs: number, onClose: () => void) {
    this.#cue = cue;
    this.#startAt = startMs * samplesPerMs;
    this.#ring = new SampleRing((startMs + roomMs) * samplesPerMs);
    this.#onClose = onClose;
  }

  get absence(): SourceAbsence | undefined {
    if (this.#hadSound) return undefined;
    return this.isConnected ? "source-silent" : "source-away";
  }

  get ended(): boolean {
    return this.#closed;
  }

  /** Adds interleaved stereo at 48 kHz; what finds no room is dropped. */
  push(stereo: Float32Array): void {
    this.#ring.write(stereo);
    while (this.#ring.length > this.#startAt + surplusMs * samplesPerMs) {
      const surplus = Math.min(this.#scratch.length, this.#ring.length - this.#startAt);
      this.#ring.read(this.#scratch.subarray(0, surplus));
    }
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    if (!this.#isPlaying && this.#ring.length >= this.#startAt) this.#isPlaying = true;
    this.#hadSound = this.#isPlaying;
    if (!this.#isPlaying) {
      block.fill(0);
      return 0;
    }
    const count = this.#ring.read(block);
    this.#hadSound = count > 0;
    block.fill(0, count);
    if (count < block.length) this.#isPlaying = false;
    if (!this.#begun) {
      this.#begun = true;
      onCue(this.#cue, 0);
    }
    return count / stationChannels;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }
}
