import { KernelError } from "./kernel-error.ts";

/** Code lengths arrive in this order (RFC 1951 section 3.2.7). */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Longest Huffman code of DEFLATE in bits. */
const maxBits = 15;

/**
 * Decompresses a raw DEFLATE stream (RFC 1951), synchronously and without any engine facility, so that cores start in
 * AudioWorklets and workers too. It is meant for the inlined cores; every read and write is checked all the same.
 *
 * @param source the compressed bytes; they must hold one complete stream
 * @param size the exact number of bytes that it must give
 * @throws KernelError `kernels/corrupt` where the stream is broken or gives another number of bytes
 */
export function inflate(source: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(size);
  const input = new BitReader(source);
  let written = 0;
  let last = false;
  while (!last) {
    last = input.bits(1) === 1;
    const type = input.bits(2);
    if (type === 0) written = copyStored(input, output, written);
    else if (type === 1) written = expandBlock(input, output, written, fixedLiterals(), fixedDistances());
    else if (type === 2) {
      const [literals, distances] = readDynamicCodes(input);
      written = expandBlock(input, output, written, literals, distances);
    } else throw corrupt("a block of reserved type");
  }
  if (written !== size) throw corrupt(`${written} bytes instead of ${size}`);
  return output;
}

/** Canonical Huffman code: how many codes each length has, and the symbols in the order of their codes. */
interface HuffmanCode {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
  /** By the next `quickBits` bits: symbol << 4 | length for codes that short, else 0. */
  readonly quick: Uint16Array;
}

/** Codes up to this length are looked up, not walked: a core must be there within milliseconds. */
const quickBits = 9;

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #buffer = 0;
  #available = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `count` (0 to 16) bits, least significant first. */
  bits(count: number): number {
    while (this.#available < count) {
      this.#buffer |= this.byte() << this.#available;
      this.#available += 8;
    }
    const value = this.#buffer & ((1 << count) - 1);
    this.#buffer >>>= count;
    this.#available -= count;
    return value;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw corrupt("an early end");
    return value;
  }

  alignToByte(): void {
    this.#at -= this.#available >> 3;
    this.#buffer = 0;
    this.#available = 0;
  }

  /** Looks short codes up; walks long ones length by length: `first` is the smallest code of the current length. */
  symbol(code: HuffmanCode): number {
    while (this.#available < maxBits && this.#at < this.#bytes.length) {
      this.#buffer |= this.#bytes[this.#at++]! << this.#available;
      this.#available += 8;
    }
    const entry = code.quick[this.#buffer & ((1 << quickBits) - 1)]!;
    const length = entry & 15;
    if (length !== 0 && length <= this.#available) {
      this.#buffer >>>= length;
      this.#available -= length;
      return entry >> 4;
    }
    let value = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= maxBits; length++) {
      value |= this.bits(1);
      const count = code.counts[length]!;
      if (value - first < count) return code.symbols[index + value - first]!;
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    throw corrupt("an unknown code");
  }
}

function copyStored(input: BitReader, output: Uint8Array, start: number): number {
  input.alignToByte();
  const length = input.byte() | (input.byte() << 8);
  const complement = input.byte() | (input.byte() << 8);
  if ((length ^ complement) !== 0xffff || start + length > output.length)
    throw corrupt("a broken stored block");
  for (let i = 0; i < length; i++) output[start + i] = input.byte();
  return start + length;
}

function expandBlock(
  input: BitReader,
  output: Uint8Array,
  start: number,
  literals: HuffmanCode,
  distances: HuffmanCode,
): number {
  let at = start;
  for (;;) {
    const symbol = input.symbol(literals);
    if (symbol === 256) return at;
    if (symbol < 256) {
      if (at >= output.length) throw corrupt("more bytes than announced");
      output[at++] = symbol;
      continue;
    }
    const length = readLength(input, symbol);
    const distance = readDistance(input, input.symbol(distances));
    if (distance > at || at + length > output.length) throw corrupt("a copy from outside the data");
    for (const end = at + length; at < end; at++) output[at] = output[at - distance]!;
  }
}

/** Symbols 257-285: lengths 3-258; from 265 on, each group of four has one extra bit more (RFC 1951 section 3.2.5). */
function readLength(input: BitReader, symbol: number): number {
  if (symbol > 285) throw corrupt("an unknown length");
  if (symbol === 285) return 258;
  if (symbol < 265) return symbol - 254;
  const extra = (symbol - 261) >> 2;
  return 3 + ((4 + ((symbol - 261) & 3)) << extra) + input.bits(extra);
}

/** Symbols 0-29: distances 1-32768; from 4 on, each pair has one extra bit more. */
function readDistance(input: BitReader, symbol: number): number {
  if (symbol > 29) throw corrupt("an unknown distance");
  if (symbol < 4) return symbol + 1;
  const extra = (symbol >> 1) - 1;
  return 1 + ((2 + (symbol & 1)) << extra) + input.bits(extra);
}

function readDynamicCodes(input: BitReader): [HuffmanCode, HuffmanCode] {
  const literalCount = input.bits(5) + 257;
  const distanceCount = input.bits(5) + 1;
  const lengthCount = input.bits(4) + 4;
  const lengths = new Uint8Array(19);
  for (let i = 0; i < lengthCount; i++) lengths[lengthOrder[i]!] = input.bits(3);
  const lengthCode = canonicalCode(lengths);
  const all = new Uint8Array(literalCount + distanceCount);
  for (let at = 0; at < all.length; ) {
    const symbol = input.symbol(lengthCode);
    let repeat = 1;
    let value = symbol;
    if (symbol === 16) {
      if (at === 0) throw corrupt("a repetition of nothing");
      value = all[at - 1]!;
      repeat = 3 + input.bits(2);
    } else if (symbol === 17) {
      value = 0;
      repeat = 3 + input.bits(3);
    } else if (symbol === 18) {
      value = 0;
      repeat = 11 + input.bits(7);
    }
    if (at + repeat > all.length) throw corrupt("too many code lengths");
    all.fill(value, at, at + repeat);
    at += repeat;
  }
  return [canonicalCode(all.subarray(0, literalCount)), canonicalCode(all.subarray(literalCount))];
}

function canonicalCode(lengths: Uint8Array): HuffmanCode {
  const counts = new Uint16Array(maxBits + 1);
  for (const length of lengths) counts[length]!++;
  counts[0] = 0;
  const next = new Uint16Array(maxBits + 2);
  let free = 1;
  for (let length = 1; length <= maxBits; length++) {
    free = free * 2 - counts[length]!;
    if (free < 0) throw corrupt("an over-subscribed code");
    next[length + 1] = next[length]! + counts[length]!;
  }
  const symbols = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length !== 0) symbols[next[length]!++] = symbol;
  }
  return { counts, symbols, quick: quickTable(counts, symbols) };
}

/** Every continuation of a short code leads to its entry; codes are stored from their most significant bit. */
function quickTable(counts: Uint16Array, symbols: Uint16Array): Uint16Array {
  const quick = new Uint16Array(1 << quickBits);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= quickBits; length++) {
    for (let i = 0; i < counts[length]!; i++, code++, index++) {
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      const entry = (symbols[index]! << 4) | length;
      for (let at = reversed; at < quick.length; at += 1 << length) quick[at] = entry;
    }
    code <<= 1;
  }
  return quick;
}

function fixedLiterals(): HuffmanCode {
  const lengths = new Uint8Array(288).fill(8);
  lengths.fill(9, 144, 256).fill(7, 256, 280);
  return canonicalCode(lengths);
}

function fixedDistances(): HuffmanCode {
  return canonicalCode(new Uint8Array(30).fill(5));
}

function corrupt(what: string): KernelError {
  return new KernelError(
    "kernels/corrupt",
    "malformed",
    `The inlined core is damaged: its compressed stream has ${what}. Install the package again.`,
  );
}
