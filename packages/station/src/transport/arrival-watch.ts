import type { StationEventBody } from "../event-log.ts";
import { blockFrames, framesToMs } from "../sound.ts";

/** How the sound arrives: all of it, with losses that do not end, or not at all. */
export type ArrivalState = "whole" | "impaired" | "lost";

/** Whether the sound arrives whole; while it does not, since when, and how much was concealed from there on. */
export interface SoundArrival {
  readonly state: ArrivalState;
  /** Position in the station's sound; null while it is whole. */
  readonly sinceMs: number | null;
  readonly concealedBlocks: number;
}

/** What is said of losses, see {@link StationEventBody}. */
export type ArrivalEvent = Extract<StationEventBody, { readonly type: `sound.${string}` }>;

/** Losses are told in lines of at least this distance: 1 s. */
const blocksBetweenLines = 50;
/** After so many lines about losses the next one says that they keep coming. */
const linesToImpair = 2;
/** So many blocks without a loss end a stretch of losses: 10 s. */
const calmBlocks = 500;
/** So many concealed blocks in a row are an outage: 1 s. */
const blocksToLose = 50;
/** An outage that is one of many is told once it lasts for 30 s. */
const blocksToLoseForLong = 1500;

/**
 * Tells of lost blocks so that one loss is one line, and losses without end are two: that they began, and how many there were. In between
 * the state says what is going on. Counts in blocks; asks no clock.
 */
export class ArrivalWatch {
  readonly #tell: (event: ArrivalEvent) => void;
  /** Concealed blocks that nobody was told of yet, and the first of them. */
  #untold = 0;
  #firstUntold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #lastMissing = Number.NEGATIVE_INFINITY;
  /** Lines since the sound was whole for 10 s. */
  #lines = 0;
  #impaired = false;
  /** Blocks given up in a row while nothing arrived, and the first of them. */
  #silent = 0;
  #firstSilent = 0;
  #toldLostInStretch = false;
  #toldLost = false;

  constructor(tell: (event: ArrivalEvent) => void) {
    this.#tell = tell;
  }

  get status(): SoundArrival {
    if (this.#silent >= blocksToLose) {
      return { state: "lost", sinceMs: ms(this.#firstSilent), concealedBlocks: this.#silent };
    }
    if (!this.#impaired) return { state: "whole", sinceMs: null, concealedBlocks: 0 };
    return { state: "impaired", sinceMs: ms(this.#firstUntold), concealedBlocks: this.#untold };
  }

  /** Blocks [first, end) were concealed; `arrived` says whether something behind them is there. */
  missed(first: number, end: number, arrived: boolean): void {
    if (first >= end) return;
    if (this.#untold === 0) this.#firstUntold = first;
    this.#untold += end - first;
    this.#lastMissing = end - 1;
    if (arrived) return;
    if (this.#silent === 0) this.#firstSilent = first;
    this.#silent += end - first;
    const isNew = this.#silent >= blocksToLose && !this.#toldLostInStretch;
    const isLong = this.#silent >= blocksToLoseForLong && !this.#toldLost;
    if (!isNew && !isLong) return;
    this.#toldLostInStretch = true;
    this.#toldLost = true;
    this.#tell({ type: "sound.lost", atMs: ms(this.#firstSilent) });
  }

  /** A block is there. */
  arrived(block: number): void {
    const wasLost = this.#silent >= blocksToLose;
    this.#silent = 0;
    this.#toldLost = false;
    if (block - this.#lastMissing >= calmBlocks) this.#calm(block);
    else if (this.#untold > 0 && !this.#impaired && (wasLost || block - this.#toldAt >= blocksBetweenLines)) {
      if (this.#lines >= linesToImpair) {
        this.#impaired = true;
        this.#tell({ type: "sound.impaired", atMs: ms(this.#firstUntold) });
      } else this.flush(block);
    }
  }

  /** Tells what was concealed and not told yet: of losses that go on as well. */
  flush(block: number): void {
    if (this.#untold === 0) return;
    this.#tell({ type: "sound.concealed", blocks: this.#untold, atMs: ms(this.#firstUntold) });
    this.#untold = 0;
    this.#toldAt = block;
    this.#lines++;
  }

  #calm(block: number): void {
    if (this.#impaired) {
      const [blocks, sinceMs] = [this.#untold, ms(this.#firstUntold)];
      this.#tell({ type: "sound.restored", blocks, sinceMs, atMs: ms(block) });
      this.#untold = 0;
      this.#toldAt = block;
    } else this.flush(block);
    this.#impaired = false;
    this.#toldLostInStretch = false;
    this.#lines = 0;
  }
}

function ms(block: number): number {
  return framesToMs(block * blockFrames);
}
