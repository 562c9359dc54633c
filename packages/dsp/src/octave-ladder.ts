import { Resampler } from "./resampler.ts";

/** Samples that are handed to the first halver at once; half as many to each further one, but no fewer than `leastBlock`. */
const firstBlock = 1024;
const leastBlock = 16;

/**
 * One stream at its own rate and at half of it, a quarter and so on: each rung keeps its latest samples. Memory is fixed at
 * construction; a push allocates nothing.
 */
export class OctaveLadder {
  readonly #rungs: readonly Rung[];

  /** @param capacities samples that each rung must keep, the full rate first */
  constructor(capacities: readonly number[]) {
    this.#rungs = capacities.map((capacity, index) => new Rung(capacity, blockOf(index)));
    for (const [index, rung] of this.#rungs.entries()) rung.next = this.#rungs[index + 1];
  }

  /** The full-rate samples that a rung is late by at most: waiting blocks and look-ahead of all halvers before it. */
  static lateness(rungs: number): number {
    const halver = new Resampler({ from: 2, to: 1 });
    let samples = 0;
    for (let index = 0; index + 1 < rungs; index++)
      samples += (blockOf(index) + halver.lookaheadFrames) * 2 ** index;
    halver.close();
    return samples;
  }

  /** Takes one sample. Its place is told, not its value: a fraction handed to a function that is not inlined is an object on the heap. */
  push(samples: Float32Array, at: number): void {
    this.#rungs[0]!.push(samples, at);
  }

  /** Gives the lower rungs what waits in blocks and halvers, as if silence followed. Only `reset` may come after. */
  flush(): void {
    for (const rung of this.#rungs) rung.flush();
  }

  reset(): void {
    for (const rung of this.#rungs) rung.reset();
  }

  /** Samples that a rung has got so far. */
  length(rung: number): number {
    return this.#rungs[rung]!.length;
  }

  /** Copies samples [start, start + output.length) of a rung; before the first and after the last there is silence. */
  read(rung: number, start: number, output: Float32Array): void {
    this.#rungs[rung]!.read(start, output);
  }

  close(): void {
    for (const rung of this.#rungs) rung.close();
  }
}

function blockOf(rung: number): number {
  return Math.max(leastBlock, firstBlock >> rung);
}

class Rung {
  next: Rung | undefined;
  /** Samples got so far. */
  length = 0;
  readonly #ring: Float32Array;
  readonly #block: Float32Array;
  readonly #halved: Float32Array;
  readonly #halver = new Resampler({ from: 2, to: 1 });
  #waiting = 0;

  constructor(capacity: number, block: number) {
    let size = 1;
    while (size < capacity) size *= 2;
    this.#ring = new Float32Array(size);
    this.#block = new Float32Array(block);
    this.#halved = new Float32Array(this.#halver.maxOutputFrames(block) + this.#halver.maxOutputFrames());
  }

  push(samples: Float32Array, at: number): void {
    this.#ring[this.length & (this.#ring.length - 1)] = samples[at]!;
    this.length++;
    if (this.next === undefined) return;
    this.#block[this.#waiting++] = samples[at]!;
    if (this.#waiting < this.#block.length) return;
    this.#waiting = 0;
    this.#pass(this.#halver.process(this.#block, this.#halved));
  }

  flush(): void {
    if (this.next === undefined) return;
    this.#pass(this.#halver.process(this.#block.subarray(0, this.#waiting), this.#halved));
    this.#waiting = 0;
    this.#pass(this.#halver.flush(this.#halved));
  }

  reset(): void {
    this.#halver.reset();
    this.#waiting = 0;
    this.length = 0;
  }

  read(start: number, output: Float32Array): void {
    const mask = this.#ring.length - 1;
    for (let n = 0; n < output.length; n++) {
      const at = start + n;
      output[n] = at >= 0 && at < this.length ? this.#ring[at & mask]! : 0;
    }
  }

  close(): void {
    this.#halver.close();
  }

  #pass(count: number): void {
    for (let n = 0; n < count; n++) this.next!.push(this.#halved, n);
  }
}
