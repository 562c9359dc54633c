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

  /**
   * Rice codes (see posting-codec.ts) of the differences between ascending `values[from, to)`, the first to `previous`, for
   * as long as a code has 32 bits at most; returns how many. There must be room.
   */
  putShortRices(
    values: Uint32Array | Float64Array,
    from: number,
    to: number,
    previous: number,
    k: number,
  ): number {
    const words = this.words;
    const longest = Math.min(15, 31 - k);
    const tooLarge = (longest + 1) * 2 ** k;
    const mask = 2 ** k - 1;
    let word = this.#word;
    let bit = this.#bit;
    let before = previous;
    let i = from;
    for (; i < to; i++) {
      const value = values[i]! - before;
      if (value >= tooLarge) break;
      before = values[i]!;
      const quotient = value >>> k;
      const code = ((value & mask) << (quotient + 1)) | ((1 << quotient) - 1);
      words[word]! |= code << bit;
      const end = bit + quotient + 1 + k;
      if (end < 32) {
        bit = end;
        continue;
      }
      words[++word] = bit > 0 ? code >>> (32 - bit) : 0;
      bit = end - 32;
    }
    this.#word = word;
    this.#bit = bit;
    return i - from;
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

  /**
   * Running sums of Rice codes (see posting-codec.ts) from `sum` on, written to `into[at...]`, for as long as a code has 32
   * bits at most; returns how many, up to `count`.
   */
  takeShortRices(k: number, count: number, sum: number, into: Float64Array, at: number): number {
    const words = this.#words;
    const mask = 2 ** k - 1;
    const unit = 2 ** k;
    const longest = Math.min(15, 31 - k);
    let word = this.#word;
    let bit = this.#bit;
    let place = sum;
    let done = 0;
    for (; done < count && word <= this.#endWord; done++) {
      let next = words[word]! >>> bit;
      if (bit !== 0) next |= words[word + 1]! << (32 - bit);
      const zeros = ~next;
      const quotient = 31 - Math.clz32(zeros & -zeros);
      if (quotient > longest || quotient < 0) break;
      place += quotient * unit + ((next >>> (quotient + 1)) & mask);
      into[at + done] = place;
      bit += quotient + 1 + k;
      word += bit >>> 5;
      bit &= 31;
    }
    this.#word = word;
    this.#bit = bit;
    this.skip(0);
    return done;
  }

  /** The next `count` bits, 0 to 32. */
  take(count: number): number {
    const value = count === 32 ? this.peek() : this.peek() & (2 ** count - 1);
    this.skip(count);
    return value;
  }
}
