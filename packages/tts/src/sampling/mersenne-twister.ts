const size = 624;
const shift = 397;

/**
 * MT19937 (Matsumoto and Nishimura 1998) with the usual seeding by the multiplier 1812433253: the sequence of
 * `torch.manual_seed(seed)` on the CPU.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(size);
  #at = size;

  /** @param seed an integer; its low 32 bits count, as in torch */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed % 2 ** 32;
    for (let i = 1; i < size; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(previous, 1812433253) + i;
    }
  }

  /** The next 32 bits, unsigned. */
  nextU32(): number {
    if (this.#at === size) this.#refill();
    let x = this.#state[this.#at++]!;
    x ^= x >>> 11;
    x ^= (x << 7) & 0x9d2c5680;
    x ^= (x << 15) & 0xefc60000;
    x ^= x >>> 18;
    return x >>> 0;
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < size; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + shift) % size]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }
}
