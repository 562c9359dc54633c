import { blockFrames } from "./sound.ts";
import type { SourceAbsence } from "./stages.ts";

/** Stretches that may wait to be asked for; what is on its way lasts a few seconds. */
const maxStretches = 1000;

/**
 * Which blocks are silence only because the source had nothing. The studio notes it when it plays them; whoever records what arrives asks
 * for one block after the other.
 */
export class SourceAbsences {
  readonly #stretches: { start: number; end: number; reason: SourceAbsence }[] = [];

  /** The block at `startFrame` has no sound of the source; blocks come in order. */
  note(startFrame: number, reason: SourceAbsence): void {
    const last = this.#stretches.at(-1);
    const end = startFrame + blockFrames;
    if (last?.end === startFrame && last.reason === reason) last.end = end;
    else this.#stretches.push({ start: startFrame, end, reason });
    if (this.#stretches.length > maxStretches) this.#stretches.shift();
  }

  /** Whether the block that was noted last is this one. */
  isAbsent(startFrame: number): boolean {
    return this.#stretches.at(-1)?.end === startFrame + blockFrames;
  }

  /** What was noted of a block; what lies before it is forgotten. */
  take(startFrame: number): SourceAbsence | undefined {
    while (this.#stretches.length > 0 && this.#stretches[0]!.end <= startFrame) this.#stretches.shift();
    const first = this.#stretches[0];
    return first !== undefined && first.start <= startFrame ? first.reason : undefined;
  }
}
