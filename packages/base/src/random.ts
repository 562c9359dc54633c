/** Source of seeded randomness; the same seed gives the same values on every machine. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  nextU32(): number;
  /** Uniform in [0, 1) with 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, bound); `bound` from 1 to 2^32. */
  below(bound: number): number;
}

/**
 * sfc32 by Chris Doty-Humphrey (PractRand): 128 bits of state, passes the usual test batteries, a few adds and shifts a
 * value. Not for secrets.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** @param seed any number; only its low 53 bits count. @param stream separates independent sequences of one seed. */
  constructor(seed: number, stream = 0) {
    const integer = Math.trunc(seed);
    this.#a = integer >>> 0;
    this.#b = Math.floor(integer / 0x1_0000_0000) >>> 0;
    this.#c = stream >>> 0;
    this.#counter = 1;
    for (let i = 0; i < 15; i++) this.nextU32();
  }

  nextU32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  next(): number {
    return this.nextU32() / 0x1_0000_0000;
  }

  below(bound: number): number {
    // Multiply-shift on 32 bits: bias below bound / 2^32, and always one draw, so sequences stay aligned.
    return Math.floor((this.nextU32() * bound) / 0x1_0000_0000);
  }
}
