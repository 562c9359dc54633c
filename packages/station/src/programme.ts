import { stationChannels } from "./sound.ts";
import type { Cue, ProgrammeSource } from "./stages.ts";

/** One song, announcement, file: plays from its beginning to its end. */
export interface ProgrammeItem {
  readonly cue: Cue;
  /** Fills `block` from `startFrame` on (interleaved stereo); returns sample frames written, 0 at the end. */
  read(block: Float32Array, startFrame: number): number;
}

/** What comes next: an item, nothing yet ("later": silence until then), or nothing ever again ("end"). */
export type NextItem = ProgrammeItem | "later" | "end";

/** A pause between items, so that one is heard to end before the next begins: 0.4 s. */
const gapFrames = 19_200;

/** Plays items one after the other. The order is the business of `next`. */
export class Programme implements ProgrammeSource {
  readonly #next: () => NextItem;
  readonly #close: () => Promise<void>;
  #item: ProgrammeItem | undefined;
  #gapLeft = 0;
  #ended = false;

  constructor(next: () => NextItem, close: () => Promise<void> = async () => {}) {
    this.#next = next;
    this.#close = close;
  }

  get ended(): boolean {
    return this.#ended;
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    const frames = block.length / stationChannels;
    let sounding = 0;
    let at = 0;
    while (at < frames) {
      if (this.#gapLeft > 0) {
        const pause = Math.min(this.#gapLeft, frames - at);
        block.fill(0, at * stationChannels, (at + pause) * stationChannels);
        this.#gapLeft -= pause;
        at += pause;
        continue;
      }
      if (this.#item === undefined && !this.#begin(at, onCue)) {
        block.fill(0, at * stationChannels);
        break;
      }
      const count = this.#item!.read(block, at);
      if (count === 0) {
        this.#item = undefined;
        this.#gapLeft = gapFrames;
      }
      at += count;
      sounding += count;
    }
    return sounding;
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#item = undefined;
    await this.#close();
  }

  #begin(at: number, onCue: (cue: Cue, frameInBlock: number) => void): boolean {
    if (this.#ended) return false;
    const next = this.#next();
    if (next === "end") this.#ended = true;
    if (typeof next === "string") return false;
    this.#item = next;
    onCue(next.cue, at);
    return true;
  }
}
