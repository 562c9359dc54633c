import { WatermarkDetector } from "@longwave/fingerprint/watermark";
import type { StationEventBody } from "../event-log.ts";
import { framesToMs, stationChannels, stationRateHz } from "../sound.ts";
import type { SoundSink } from "../stages.ts";

/** Reads marks of one key in the received sound and says when one is there. */
export class WatermarkReader implements SoundSink {
  readonly #detector: WatermarkDetector;
  readonly #onEvent: (event: StationEventBody) => void;
  #current = "";
  #originFrame: number | undefined;

  constructor(key: string, onEvent: (event: StationEventBody) => void) {
    this.#detector = new WatermarkDetector({ sampleRate: stationRateHz, channels: stationChannels, key });
    this.#onEvent = onEvent;
  }

  write(block: Float32Array, startFrame: number): void {
    this.#originFrame ??= startFrame;
    this.#detector.process(block, () => {
      this.#current = "";
    });
    const { current } = this.#detector;
    if (current === undefined) return;
    const payload = Array.from(current.payload, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (payload === this.#current) return;
    this.#current = payload;
    this.#onEvent({
      type: "watermark.read",
      payload,
      sync: Math.round(current.sync * 10) / 10,
      bitErrorRate: Math.round(current.bitErrorRate * 1000) / 1000,
      sinceMs: framesToMs(this.#originFrame) + Math.round(current.start * 1000),
      atMs: framesToMs(startFrame),
    });
  }
}
