import type { StationEventBody } from "./event-log.ts";
import { blockFrames, framesToMs, stationRateHz } from "./sound.ts";
import type { SoundSink } from "./stages.ts";

/** Below -50 dB of full scale counts as silence. */
const silentPower = 1e-5;
const silentAfterFrames = 5 * stationRateHz;

/** Measures the received sound, and says when there has been none for 5 s. */
export class LevelMeter implements SoundSink {
  readonly #onEvent: (event: StationEventBody) => void;
  #peak = 0;
  #power = 0;
  #quietFrames = 0;
  #silent = false;

  constructor(onEvent: (event: StationEventBody) => void) {
    this.#onEvent = onEvent;
  }

  /** Largest absolute sample of the last block. */
  get peak(): number {
    return this.#peak;
  }

  /** Mean square of the last block. */
  get power(): number {
    return this.#power;
  }

  write(block: Float32Array, startFrame: number): void {
    let peak = 0;
    let sum = 0;
    for (let i = 0; i < block.length; i++) {
      const value = block[i]!;
      sum += value * value;
      if (value > peak) peak = value;
      else if (-value > peak) peak = -value;
    }
    this.#peak = peak;
    this.#power = sum / block.length;
    const atMs = framesToMs(startFrame + blockFrames);
    if (this.#power >= silentPower) {
      this.#quietFrames = 0;
      if (this.#silent) this.#onEvent({ type: "signal.returned", atMs });
      this.#silent = false;
    } else {
      this.#quietFrames += blockFrames;
      if (!this.#silent && this.#quietFrames >= silentAfterFrames) {
        this.#silent = true;
        this.#onEvent({ type: "signal.silent", atMs });
      }
    }
  }
}
