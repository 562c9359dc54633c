import { progress } from "../output.ts";
import { lengthText } from "./format.ts";

/** Sound and time between two lines. */
const stepFrames = 600 * 48_000;
const stepMs = 2000;

/** Tells on standard error how far an import is, how fast, and how long it will still take. */
export class ImportProgress {
  readonly #name: string;
  readonly #expected: number | undefined;
  readonly #began = performance.now();
  #shownFrames = 0;
  #shownAt = performance.now();

  /** @param expected sample frames in all, where known */
  constructor(name: string, expected: number | undefined) {
    this.#name = name;
    this.#expected = expected;
  }

  at(frames: number): void {
    if (frames - this.#shownFrames < stepFrames && performance.now() - this.#shownAt < stepMs) return;
    this.#shownFrames = frames;
    this.#shownAt = performance.now();
    progress(this.line(frames, (this.#shownAt - this.#began) / 1000));
  }

  /** What is shown after `seconds` of work. */
  line(frames: number, seconds: number): string {
    const speed = seconds > 0 ? frames / 48_000 / seconds : 0;
    const rate = `${speed.toFixed(0)} times as fast as it sounds`;
    const expected = this.#expected;
    if (expected === undefined || expected < frames || speed === 0)
      return `${this.#name}: ${lengthText(frames)}, ${rate}`;
    const left = (expected - frames) / 48_000 / speed;
    const share = ((100 * frames) / expected).toFixed(0);
    return `${this.#name}: ${lengthText(frames)} (${share} %), ${rate}, ${left.toFixed(0)} s left`;
  }

  end(): void {
    if (this.#shownFrames > 0) progress(`${this.#name}: done`);
  }
}
