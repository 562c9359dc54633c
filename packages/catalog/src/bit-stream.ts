/** Bits into a growing array of u32, least significant first. */
export class BitWriter {
  words: Uint32Array;
  /** Bits written; beyond 2^32 too. */
  #word = 0;
  #bit = 0;

  constructor(capacityWords = 1024) {
    this.words = new Uint32Array(capacityWords);
  }

  get bytes(): number {
    return 4 * this.#word + Math.ceil(this.#bit / 8);
  }

  /** Makes room for `bits` more. */
  reserve(bits: number): void {
    const needed = this.#word + Math.ceil(bits / 32) + 2;
    if (needed <= this.words.length) return;
    const words = new Uint32Array(Math.max(needed, Math.ceil(this.words.length * 1.5)));
    words.set(this.words);
    this.words = words;
  }

  /** Appends the low `count` bits of `value`, a u32 below 2^count; count 0 to 32. There must be room. */
  put(value: number, count: number): void {
    const bit = this.#bit;
    const words = this.words;
    words[this.#word]! |= value << bit;
    const end = bit + count;
    if (end < 32) {
      this.#bit = end;
      return;
    }
    this.#word++;
    this.#bit = end - 32;
    if (bit > 0) words[this.#word] = value >>> (32 - bit);
  }

  /** Continues at the next whole byte. */
  align(): void {
    this.#bit = (this.#bit + 7) & ~7;
    if (this.#bit === 32) {
      this.#bit = 0;
      this.#word++;
    }
  }
}

/** Reads what {@link BitWriter} wrote. Reading beyond `endWord` gives zeros and sets `failed`. */
export class BitReader {
  failed = false;
  readonly #words: Uint32Array;
  #word = 0;
  #bit = 0;
  #endWord = 0;

  /** @param words followed by at least two words of padding */
  constructor(words: Uint32Array) {
    this.#words = words;
  }

  /** Begins at a byte; `endByte` is the first that does not belong to what is read. */
  seek(byte: number, endByte: number): void {
    this.#word = Math.floor(byte / 4);
    this.#bit = 8 * (byte % 4);
    this.#endWord = Math.ceil(endByte / 4);
    this.failed = false;
  }

  /** The next 32 bits, without moving on. */
  peek(): number {
    const bit = this.#bit;
    const low = this.#words[this.#word]! >>> bit;
    return bit === 0 ? low : (low | (this.#words[this.#word + 1]! << (32 - bit))) >>> 0;
  }

  skip(count: number): void {
    const bit = this.#bit + count;
    this.#word += bit >>> 5;
    this.#bit = bit & 31;
    if (this.#word > this.#endWord) {
      this.failed = true;
      this.#word = this.#endWord;
      this.#bit = 0;
    }
  }

  /** The next `count` bits, 0 to 32. */
  take(count: number): number {
    const value = count === 32 ? this.peek() : this.peek() & (2 ** count - 1);
    this.skip(count);
    return value;
  }
}
