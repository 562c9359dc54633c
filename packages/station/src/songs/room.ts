import { controlFrames } from "./voices.ts";

/** Delays in frames at 48 kHz of the comb filters (Schroeder 1962; lengths after Jezar's Freeverb, scaled), left and right. */
const combFrames = [
  [1215, 1293, 1390, 1476],
  [1240, 1318, 1415, 1501],
] as const;
const allPassFrames = [
  [605, 480],
  [630, 505],
] as const;

class DelayLine {
  readonly samples: Float64Array;
  at = 0;
  filter = 0;

  constructor(length: number) {
    this.samples = new Float64Array(length);
  }
}

/** The room that a song is played in: a small stereo reverberator, one mono send in, wet sound added to left and right. Blocks have `controlFrames` frames. */
export class Room {
  readonly #combs = combFrames.map((side) => side.map((length) => new DelayLine(length)));
  readonly #allPasses = allPassFrames.map((side) => side.map((length) => new DelayLine(length)));
  readonly #sum = new Float64Array(controlFrames);
  readonly #feedback: number;
  readonly #wet: number;

  /** @param space 0 dry to 1 drowned */
  constructor(space: number) {
    this.#feedback = 0.72 + 0.22 * space;
    this.#wet = 0.1 + 0.35 * space;
  }

  process(send: Float64Array, left: Float64Array, right: Float64Array): void {
    this.#side(0, send, left);
    this.#side(1, send, right);
  }

  #side(side: 0 | 1, send: Float64Array, out: Float64Array): void {
    const sum = this.#sum;
    sum.fill(0);
    for (const line of this.#combs[side]!) comb(line, send, sum, this.#feedback);
    for (const line of this.#allPasses[side]!) allPass(line, sum);
    for (let i = 0; i < sum.length; i++) out[i]! += sum[i]! * this.#wet;
  }
}

/** Adds the comb's output to `sum`; its feedback goes through a one-pole low-pass, as air and curtains do. */
function comb(line: DelayLine, send: Float64Array, sum: Float64Array, feedback: number): void {
  const { samples } = line;
  const length = samples.length;
  let { at, filter } = line;
  for (let i = 0; i < controlFrames; i++) {
    const delayed = samples[at]!;
    filter += 0.6 * (delayed - filter);
    samples[at] = send[i]! * 0.25 + filter * feedback;
    if (++at === length) at = 0;
    sum[i]! += delayed;
  }
  line.at = at;
  line.filter = filter;
}

function allPass(line: DelayLine, sum: Float64Array): void {
  const { samples } = line;
  const length = samples.length;
  let { at } = line;
  for (let i = 0; i < controlFrames; i++) {
    const delayed = samples[at]!;
    const value = sum[i]! + 0.5 * delayed;
    samples[at] = value;
    if (++at === length) at = 0;
    sum[i] = delayed - 0.5 * value;
  }
  line.at = at;
}
