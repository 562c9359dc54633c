/** Primitive polynomials over GF(2), by degree (Peterson and Weldon, Error-Correcting Codes, appendix C). */
const primitivePolynomials: Readonly<Record<number, number>> = { 7: 0x89, 8: 0x11d };

/**
 * A binary BCH code of length 2^m - 1 (Bose and Ray-Chaudhuri 1960): systematic encoder, decoder by syndromes,
 * Berlekamp and Massey's algorithm and Chien's search. Bits are bytes of value 0 or 1.
 */
export class BchCode {
  /** Bits of a code word. */
  readonly length: number;
  /** Bits of a message. */
  readonly messageBits: number;
  /** Wrong bits that the decoder corrects. */
  readonly correctable: number;
  readonly #exp: Uint16Array;
  readonly #log: Uint16Array;
  /** Coefficients of the generator polynomial, lowest first. */
  readonly #generator: Uint8Array;

  /**
   * @param degree m, 7 or 8
   * @param correctable t: errors to correct
   */
  constructor(degree: 7 | 8, correctable: number) {
    const length = 2 ** degree - 1;
    this.length = length;
    this.correctable = correctable;
    this.#exp = new Uint16Array(2 * length);
    this.#log = new Uint16Array(length + 1);
    let element = 1;
    for (let power = 0; power < length; power++) {
      this.#exp[power] = this.#exp[power + length] = element;
      this.#log[element] = power;
      element <<= 1;
      if (element > length) element ^= primitivePolynomials[degree]!;
    }
    this.#generator = this.#makeGenerator();
    this.messageBits = length - (this.#generator.length - 1);
  }

  /** Product of (x + root) over the conjugates of alpha^1 to alpha^2t: a polynomial with coefficients 0 and 1. */
  #makeGenerator(): Uint8Array {
    const roots = new Set<number>();
    for (let power = 1; power <= 2 * this.correctable; power++) {
      for (let each = power; !roots.has(each); each = (2 * each) % this.length) roots.add(each);
    }
    let product = [1];
    for (const root of roots) {
      const next = new Array<number>(product.length + 1).fill(0);
      product.forEach((coefficient, at) => {
        next[at + 1]! ^= coefficient;
        next[at]! ^= this.#multiply(coefficient, this.#exp[root]!);
      });
      product = next;
    }
    return Uint8Array.from(product);
  }

  #multiply(a: number, b: number): number {
    return a === 0 || b === 0 ? 0 : this.#exp[this.#log[a]! + this.#log[b]!]!;
  }

  #inverse(a: number): number {
    return this.#exp[this.length - this.#log[a]!]!;
  }

  /** The code word of a message: check bits first, then the message. */
  encode(message: Uint8Array): Uint8Array {
    const checks = this.length - this.messageBits;
    const word = new Uint8Array(this.length);
    word.set(message, checks);
    const rest = word.slice();
    for (let at = this.length - 1; at >= checks; at--) {
      if (rest[at] === 0) continue;
      for (let i = 0; i <= checks; i++) rest[at - checks + i]! ^= this.#generator[i]!;
    }
    word.set(rest.subarray(0, checks));
    return word;
  }

  /**
   * Corrects `word` in place.
   * @returns wrong bits that were corrected, or undefined where there are more than the code can correct; `word` is then unchanged
   */
  decode(word: Uint8Array): number | undefined {
    const syndromes = this.#syndromes(word);
    if (syndromes.every((value) => value === 0)) return 0;
    const locator = this.#errorLocator(syndromes);
    if (locator === undefined) return undefined;
    const wrong = this.#rootsOf(locator);
    if (wrong.length !== locator.length - 1) return undefined;
    for (const at of wrong) word[at]! ^= 1;
    return wrong.length;
  }

  #syndromes(word: Uint8Array): Uint16Array {
    const syndromes = new Uint16Array(2 * this.correctable);
    for (let at = 0; at < this.length; at++) {
      if (word[at] === 0) continue;
      for (let i = 0, power = at; i < syndromes.length; i++) {
        syndromes[i]! ^= this.#exp[power]!;
        power += at;
        if (power >= this.length) power -= this.length;
      }
    }
    return syndromes;
  }

  /** Chien's search: the positions p at which the locator of alpha^-p is zero. */
  #rootsOf(locator: readonly number[]): number[] {
    const powers = locator.map((coefficient) => this.#log[coefficient]!);
    const positions: number[] = [];
    for (let at = 0; at < this.length; at++) {
      let sum = 0;
      for (let i = 0; i < locator.length; i++) {
        if (locator[i] === 0) continue;
        sum ^= this.#exp[powers[i]!]!;
        const next = powers[i]! - i;
        powers[i] = next < 0 ? next + this.length : next;
      }
      if (sum === 0) positions.push(at);
    }
    return positions;
  }

  /** Berlekamp and Massey: the shortest recurrence of the syndromes, lowest coefficient first; undefined if too long. */
  #errorLocator(syndromes: Uint16Array): number[] | undefined {
    let locator = [1];
    let previous = [1];
    let errors = 0;
    let gap = 1;
    let previousDiscrepancy = 1;
    for (let step = 0; step < syndromes.length; step++) {
      let discrepancy = syndromes[step]!;
      for (let i = 1; i <= errors; i++) {
        discrepancy ^= this.#multiply(locator[i] ?? 0, syndromes[step - i]!);
      }
      if (discrepancy === 0) {
        gap++;
        continue;
      }
      const scale = this.#multiply(discrepancy, this.#inverse(previousDiscrepancy));
      const next = locator.slice();
      previous.forEach((coefficient, at) => {
        next[at + gap] = (next[at + gap] ?? 0) ^ this.#multiply(scale, coefficient);
      });
      for (let i = 0; i < next.length; i++) next[i] ??= 0;
      if (2 * errors <= step) {
        previous = locator;
        previousDiscrepancy = discrepancy;
        errors = step + 1 - errors;
        gap = 1;
      } else gap++;
      locator = next;
    }
    while (locator.length > 1 && locator[locator.length - 1] === 0) locator.pop();
    return errors <= this.correctable && locator.length === errors + 1 ? locator : undefined;
  }
}
