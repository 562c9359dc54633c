import { Resampler } from "@longwave/dsp";
import type { ServedSpeech } from "@longwave/tts";
import { stationRateHz } from "../sound.ts";

/** Engines speak louder than music is mixed: -4.4 dB. */
const voiceGain = 0.6;
/** Longest speech that is held: 3 min. */
const maxFrames = 180 * stationRateHz;

/**
 * Speech as the station plays it: 48 kHz mono that grows while it is being made, and can be read as soon as its beginning is there.
 */
export class SpokenClip {
  readonly engine: string;
  readonly voice: string;
  /** Settles when the speech is complete; rejects where it failed on its way. */
  readonly done: Promise<void>;
  readonly #pieces: Float32Array[] = [];
  #frames = 0;
  #complete = false;

  /** @param pause runs between two blocks, so that a station on air is not held up */
  constructor(speech: ServedSpeech, pause?: () => Promise<void>) {
    this.engine = speech.engine;
    this.voice = speech.voice;
    this.done = this.#collect(speech, pause);
    this.done.catch(() => {});
  }

  /** Sample frames so far. */
  get frames(): number {
    return this.#frames;
  }

  get isComplete(): boolean {
    return this.#complete;
  }

  /** Copies mono frames from `start` on; returns how many are there, fewer than asked for at the end so far. */
  read(start: number, into: Float32Array): number {
    let offset = 0;
    let written = 0;
    for (const piece of this.#pieces) {
      const from = start + written - offset;
      if (from < piece.length && written < into.length) {
        const count = Math.min(piece.length - from, into.length - written);
        into.set(piece.subarray(from, from + count), written);
        written += count;
      }
      offset += piece.length;
    }
    return written;
  }

  async #collect(speech: ServedSpeech, pause?: () => Promise<void>): Promise<void> {
    const resampler = new Resampler({ from: speech.sampleRate, to: stationRateHz });
    try {
      for await (const block of speech) {
        const output = new Float32Array(resampler.maxOutputFrames(block.length));
        this.#add(output.subarray(0, resampler.process(block, output)));
        if (this.#frames >= maxFrames) break;
        await pause?.();
      }
      const rest = new Float32Array(resampler.maxOutputFrames());
      this.#add(rest.subarray(0, resampler.flush(rest)));
    } finally {
      this.#complete = true;
      resampler.close();
    }
  }

  #add(piece: Float32Array): void {
    if (piece.length === 0) return;
    for (let i = 0; i < piece.length; i++) piece[i]! *= voiceGain;
    this.#pieces.push(piece);
    this.#frames += piece.length;
  }
}
