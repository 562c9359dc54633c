/**
 * Cuts a stream of samples into overlapping analysis windows. Samples that are not finite become 0 and are counted.
 * Nothing is allocated after construction.
 */
export class FrameBuffer {
  /** Backing store; a ready window starts at `frameStart`. */
  readonly samples: Float32Array;
  /** Samples replaced because they were NaN or infinite. */
  replacedSamples = 0;
  readonly #size: number;
  readonly #hop: number;
  #start = 0;
  #end = 0;

  /**
   * @param size samples of a window
   * @param hop samples from window to window, at most `size`
   */
  constructor(size: number, hop: number) {
    this.#size = size;
    this.#hop = hop;
    this.samples = new Float32Array(size + 32 * hop);
  }

  /** Where the current window begins in `samples`. */
  get frameStart(): number {
    return this.#start;
  }

  /** True if a whole window is ready at `frameStart`. */
  get ready(): boolean {
    return this.#end - this.#start >= this.#size;
  }

  /** Takes as many of `chunk[from, to)` as there is room for; returns how many. Call again after `advance`. */
  write(chunk: Float32Array, from: number, to: number): number {
    const samples = this.samples;
    if (this.#start > 0 && this.#end + (to - from) > samples.length) {
      samples.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const count = Math.min(to - from, samples.length - this.#end);
    let at = this.#end;
    for (let i = from; i < from + count; i++) {
      const value = chunk[i]!;
      // x - x is 0 for finite x and NaN otherwise.
      if (value - value === 0) samples[at++] = value;
      else {
        samples[at++] = 0;
        this.replacedSamples++;
      }
    }
    this.#end = at;
    return count;
  }

  /** Moves on to the next window. */
  advance(): void {
    this.#start += this.#hop;
  }

  reset(): void {
    this.#start = 0;
    this.#end = 0;
    this.replacedSamples = 0;
  }
}
