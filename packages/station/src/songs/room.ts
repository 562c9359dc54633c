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

/** The room that a song is played in: a small stereo reverberator, one mono send in, wet sound added to left and right. */
export class Room {
  readonly #combs = combFrames.map((side) => side.map((length) => new DelayLine(length)));
  readonly #allPasses = allPassFrames.map((side) => side.map((length) => new DelayLine(length)));
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
    const combs = this.#combs[side]!;
    const allPasses = this.#allPasses[side]!;
    for (let i = 0; i < send.length; i++) {
      const input = send[i]! * 0.25;
      let sum = 0;
      for (let k = 0; k < combs.length; k++) {
        const line = combs[k]!;
        const delayed = line.samples[line.at]!;
        line.filter += 0.6 * (delayed - line.filter);
        line.samples[line.at] = input + line.filter * this.#feedback;
        if (++line.at === line.samples.length) line.at = 0;
        sum += delayed;
      }
      for (let k = 0; k < allPasses.length; k++) {
        const line = allPasses[k]!;
        const delayed = line.samples[line.at]!;
        const value = sum + 0.5 * delayed;
        line.samples[line.at] = value;
        if (++line.at === line.samples.length) line.at = 0;
        sum = delayed - 0.5 * value;
      }
      out[i]! += sum * this.#wet;
    }
  }
}
