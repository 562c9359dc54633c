/**
 * XXH64 (Yann Collet's xxHash, 64 bits, seed 0) of a sequence of byte runs, in 32-bit halves: BigInt would be forty times
 * slower. The result is written as two u32, low half first.
 */
export class XxHash64 {
  /** Four accumulators as (low, high) pairs. */
  readonly #lanes = new Uint32Array(8);
  readonly #tail = new Uint8Array(32);
  #tailLength = 0;
  #totalBytes = 0;

  constructor() {
    this.reset();
  }

  reset(): void {
    setLane(this.#lanes, 0, add(p1, p2));
    setLane(this.#lanes, 1, p2);
    setLane(this.#lanes, 2, [0, 0]);
    setLane(this.#lanes, 3, negate(p1));
    this.#tailLength = 0;
    this.#totalBytes = 0;
  }

  /** Adds `bytes[start, end)`. */
  update(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    this.#totalBytes += end - start;
    let at = start;
    if (this.#tailLength > 0) {
      const take = Math.min(32 - this.#tailLength, end - at);
      this.#tail.set(bytes.subarray(at, at + take), this.#tailLength);
      this.#tailLength += take;
      at += take;
      if (this.#tailLength < 32) return this;
      this.#stripe(this.#tail, 0);
      this.#tailLength = 0;
    }
    for (; at + 32 <= end; at += 32) this.#stripe(bytes, at);
    if (at < end) {
      this.#tail.set(bytes.subarray(at, end));
      this.#tailLength = end - at;
    }
    return this;
  }

  /** Writes the hash of everything so far; more may be added afterwards. */
  digest(into: Uint32Array): void {
    const lanes = this.#lanes;
    let hash: Word;
    if (this.#totalBytes >= 32) {
      hash = rotate(lane(lanes, 0), 1);
      hash = add(hash, rotate(lane(lanes, 1), 7));
      hash = add(hash, rotate(lane(lanes, 2), 12));
      hash = add(hash, rotate(lane(lanes, 3), 18));
      for (let i = 0; i < 4; i++) {
        hash = xor(hash, multiply(rotate(multiply(lane(lanes, i), p2), 31), p1));
        hash = add(multiply(hash, p1), p4);
      }
    } else {
      hash = p5;
    }
    hash = add(hash, [this.#totalBytes >>> 0, Math.floor(this.#totalBytes / 0x1_0000_0000)]);
    const tail = this.#tail;
    let at = 0;
    for (; at + 8 <= this.#tailLength; at += 8) {
      const word: Word = [readU32(tail, at), readU32(tail, at + 4)];
      hash = xor(hash, multiply(rotate(multiply(word, p2), 31), p1));
      hash = add(multiply(rotate(hash, 27), p1), p4);
    }
    if (at + 4 <= this.#tailLength) {
      hash = xor(hash, multiply([readU32(tail, at), 0], p1));
      hash = add(multiply(rotate(hash, 23), p2), p3);
      at += 4;
    }
    for (; at < this.#tailLength; at++) {
      hash = xor(hash, multiply([tail[at]!, 0], p5));
      hash = multiply(rotate(hash, 11), p1);
    }
    hash = multiply(xor(hash, shiftRight(hash, 33)), p2);
    hash = multiply(xor(hash, shiftRight(hash, 29)), p3);
    hash = xor(hash, shiftRight(hash, 32));
    into[0] = hash[0];
    into[1] = hash[1];
  }

  /** One 32-byte stripe: every lane is acc = rotl(acc + word * P2, 31) * P1. */
  #stripe(bytes: Uint8Array, at: number): void {
    const lanes = this.#lanes;
    for (let i = 0; i < 4; i++) {
      const p = at + 8 * i;
      const wordLow = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
      const wordHigh = bytes[p + 4]! | (bytes[p + 5]! << 8) | (bytes[p + 6]! << 16) | (bytes[p + 7]! << 24);
      const productLow = Math.imul(wordLow, p2Low);
      const productHigh =
        (multiplyHigh(wordLow, p2Low) + Math.imul(wordLow, p2High) + Math.imul(wordHigh, p2Low)) | 0;
      const sumLow = (lanes[2 * i]! + productLow) | 0;
      const carry = sumLow >>> 0 < productLow >>> 0 ? 1 : 0;
      const sumHigh = (lanes[2 * i + 1]! + productHigh + carry) | 0;
      const low = (sumLow << 31) | (sumHigh >>> 1);
      const high = (sumHigh << 31) | (sumLow >>> 1);
      lanes[2 * i] = Math.imul(low, p1Low);
      lanes[2 * i + 1] = multiplyHigh(low, p1Low) + Math.imul(low, p1High) + Math.imul(high, p1Low);
    }
  }
}

/** A 64-bit word as unsigned halves, low first. */
type Word = readonly [low: number, high: number];

const p1Low = 0x85ebca87;
const p1High = 0x9e3779b1;
const p2Low = 0x27d4eb4f;
const p2High = 0xc2b2ae3d;
const p1: Word = [p1Low, p1High];
const p2: Word = [p2Low, p2High];
const p3: Word = [0x9e3779f9, 0x165667b1];
const p4: Word = [0xc2b2ae63, 0x85ebca77];
const p5: Word = [0x165667c5, 0x27d4eb2f];

function lane(lanes: Uint32Array, i: number): Word {
  return [lanes[2 * i]!, lanes[2 * i + 1]!];
}

function setLane(lanes: Uint32Array, i: number, word: Word): void {
  lanes[2 * i] = word[0];
  lanes[2 * i + 1] = word[1];
}

function add(a: Word, b: Word): Word {
  const low = a[0] + b[0];
  return [low >>> 0, (a[1] + b[1] + (low >= 0x1_0000_0000 ? 1 : 0)) >>> 0];
}

function negate(a: Word): Word {
  return add([~a[0] >>> 0, ~a[1] >>> 0], [1, 0]);
}

function xor(a: Word, b: Word): Word {
  return [(a[0] ^ b[0]) >>> 0, (a[1] ^ b[1]) >>> 0];
}

function rotate(a: Word, by: number): Word {
  return [((a[0] << by) | (a[1] >>> (32 - by))) >>> 0, ((a[1] << by) | (a[0] >>> (32 - by))) >>> 0];
}

function shiftRight(a: Word, by: number): Word {
  if (by >= 32) return [a[1] >>> (by - 32), 0];
  return [((a[0] >>> by) | (a[1] << (32 - by))) >>> 0, a[1] >>> by];
}

function multiply(a: Word, b: Word): Word {
  const high = multiplyHigh(a[0], b[0]) + Math.imul(a[0], b[1]) + Math.imul(a[1], b[0]);
  return [Math.imul(a[0], b[0]) >>> 0, high >>> 0];
}

/** High 32 bits of the product of two u32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const first = aHigh * bLow + ((aLow * bLow) >>> 16);
  const second = aLow * bHigh + (first & 0xffff);
  return (aHigh * bHigh + (first >>> 16) + (second >>> 16)) | 0;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
