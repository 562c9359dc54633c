import { SampleRing } from "@longwave/base";
import { stationChannels, stationRateHz } from "../sound.ts";
import type { Cue, ProgrammeSource } from "../stages.ts";

/** Sound that may wait: 3 s. */
const capacity = 3 * stationRateHz * stationChannels;
/** Sound that must wait before playing begins, or goes on after a break: 300 ms. */
const startAt = 0.3 * stationRateHz * stationChannels;
/** A sender whose clock is faster fills the ring in hours; it is then emptied down to where playing begins. */
const tooMuch = 2 * stationRateHz * stationChannels;

/** A source that plays what others push: live sound from elsewhere, with a clock of its own. Silence while there is none. */
export class LiveRing implements ProgrammeSource {
  readonly #ring = new SampleRing(capacity);
  readonly #cue: Cue;
  readonly #scratch = new Float32Array(48_000);
  readonly #onClose: () => void;
  #isPlaying = false;
  #begun = false;
  #closed = false;

  constructor(cue: Cue, onClose: () => void) {
    this.#cue = cue;
    this.#onClose = onClose;
  }

  get ended(): boolean {
    return this.#closed;
  }

  /** Adds interleaved stereo at 48 kHz; what finds no room is dropped. */
  push(stereo: Float32Array): void {
    this.#ring.write(stereo);
    while (this.#ring.length > tooMuch) {
      const surplus = Math.min(this.#scratch.length, this.#ring.length - startAt);
      this.#ring.read(this.#scratch.subarray(0, surplus));
    }
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    if (!this.#isPlaying && this.#ring.length >= startAt) this.#isPlaying = true;
    if (!this.#isPlaying) {
      block.fill(0);
      return 0;
    }
    const count = this.#ring.read(block);
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
