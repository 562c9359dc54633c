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
  // Working space of `locate`; `#positions` holds what it found.
  readonly #locator: Uint16Array;
  readonly #previous: Uint16Array;
  readonly #before: Uint16Array;
  readonly #powers: Int32Array;
  readonly #positions: Int32Array;

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
    this.#locator = new Uint16Array(2 * correctable + 2);
    this.#previous = new Uint16Array(2 * correctable + 2);
    this.#before = new Uint16Array(2 * correctable + 2);
    this.#powers = new Int32Array(correctable + 1);
    this.#positions = new Int32Array(length);
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
    const syndromes = new Uint16Array(this.syndromeCount);
    for (let at = 0; at < this.length; at++) if (word[at] !== 0) this.flip(syndromes, at);
    const count = this.locate(syndromes);
    for (let i = 0; i < (count ?? 0); i++) word[this.#positions[i]!]! ^= 1;
    return count;
  }

  /** Length of the array of syndromes, 2t. */
  get syndromeCount(): number {
    return 2 * this.correctable;
  }

  /** Adds what bit `at` of a word brings to the word's syndromes: they are linear, a second time takes it away again. */
  flip(syndromes: Uint16Array, at: number): void {
    for (let i = 0, power = at; i < syndromes.length; i++) {
      syndromes[i]! ^= this.#exp[power]!;
      power += at;
      if (power >= this.length) power -= this.length;
    }
  }

  /**
   * How many bits are wrong in a word with these syndromes; undefined where they are more than the code can correct. Costs no
   * memory: soft decisions try a hundred words that differ in a few bits.
   */
  locate(syndromes: Uint16Array): number | undefined {
    if (syndromes.every(isZero)) return 0;
    const errors = this.#errorLocator(syndromes);
    if (errors === undefined || this.#findRoots(errors) !== errors) return undefined;
    return errors;
  }

  /** Chien's search: the positions p at which the locator of alpha^-p is zero; returns how many there are. */
  #findRoots(degree: number): number {
    const powers = this.#powers;
    for (let i = 0; i <= degree; i++) powers[i] = this.#log[this.#locator[i]!]!;
    let found = 0;
    for (let at = 0; at < this.length; at++) {
      let sum = 0;
      for (let i = 0; i <= degree; i++) {
        if (this.#locator[i] === 0) continue;
        const power = powers[i]!;
        sum ^= this.#exp[power]!;
        powers[i] = power < i ? power - i + this.length : power - i;
      }
      if (sum === 0) this.#positions[found++] = at;
    }
    return found;
  }

  /**
   * Berlekamp and Massey: the shortest recurrence of the syndromes into `#locator`, lowest coefficient first; returns its degree,
   * undefined if it is too long, or shorter than the number of errors that it stands for.
   */
  #errorLocator(syndromes: Uint16Array): number | undefined {
    const locator = this.#locator.fill(0);
    const previous = this.#previous.fill(0);
    locator[0] = previous[0] = 1;
    let errors = 0;
    let gap = 1;
    let previousDiscrepancy = 1;
    for (let step = 0; step < syndromes.length; step++) {
      let discrepancy = syndromes[step]!;
      for (let i = 1; i <= errors; i++) discrepancy ^= this.#multiply(locator[i]!, syndromes[step - i]!);
      if (discrepancy === 0) {
        gap++;
        continue;
      }
      const grows = 2 * errors <= step;
      // It never becomes shorter again.
      if (grows && step + 1 - errors > this.correctable) return undefined;
      const scale = this.#multiply(discrepancy, this.#inverse(previousDiscrepancy));
      if (grows) this.#before.set(locator);
      for (let i = locator.length - 1; i >= gap; i--) {
        locator[i]! ^= this.#multiply(scale, previous[i - gap]!);
      }
      if (grows) {
        previous.set(this.#before);
        previousDiscrepancy = discrepancy;
        errors = step + 1 - errors;
        gap = 1;
      } else gap++;
    }
    return locator[errors] === 0 || locator.subarray(errors + 1).some(isNotZero) ? undefined : errors;
  }
}

function isZero(value: number): boolean {
  return value === 0;
}

function isNotZero(value: number): boolean {
  return value !== 0;
}
