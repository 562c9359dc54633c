// AES (FIPS 197) in counter mode (NIST SP 800-38A section 6.5) with 32-bit tables. It is synchronous, allocates nothing
// per packet and runs everywhere. Table look-ups depend on the key: whoever can time this process's cache may learn about
// it; the Node adapter's port uses the machine's instructions instead.

const sbox = new Uint8Array(256);
const tables: readonly Uint32Array[] = [0, 1, 2, 3].map(() => new Uint32Array(256));
buildTables();

function buildTables(): void {
  // Walks the multiplicative group of GF(2^8) by the generator 3 and its inverse together.
  let p = 1;
  let q = 1;
  do {
    p = (p ^ (p << 1) ^ (p & 0x80 ? 0x1b : 0)) & 0xff;
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q &= 0xff;
    if (q & 0x80) q ^= 0x09;
    const x = q ^ rotate8(q, 1) ^ rotate8(q, 2) ^ rotate8(q, 3) ^ rotate8(q, 4);
    sbox[p] = (x ^ 0x63) & 0xff;
  } while (p !== 1);
  sbox[0] = 0x63;
  for (let i = 0; i < 256; i++) {
    const s = sbox[i]!;
    const twice = ((s << 1) ^ (s & 0x80 ? 0x1b : 0)) & 0xff;
    let word = ((twice << 24) | (s << 16) | (s << 8) | (twice ^ s)) >>> 0;
    for (let k = 0; k < 4; k++) {
      tables[k]![i] = word;
      word = ((word >>> 8) | (word << 24)) >>> 0;
    }
  }
}

function rotate8(value: number, by: number): number {
  return ((value << by) | (value >>> (8 - by))) & 0xff;
}

/** One AES key, expanded; encrypts and decrypts (counter mode is its own inverse). */
export class AesCtr {
  readonly #roundKeys: Uint32Array;
  readonly #rounds: number;
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);

  /** @param key 16 or 32 bytes */
  constructor(key: Uint8Array) {
    const words = key.length >> 2;
    this.#rounds = words + 6;
    this.#roundKeys = expandKey(key, words, this.#rounds);
  }

  /**
   * XORs the key stream of the initial counter block (16 bytes, big-endian, incremented per block) onto
   * `from[start, end)`, writing to `to[at...)`. `from` and `to` may be the same bytes at the same offset.
   */
  apply(iv: Uint8Array, from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
    const counter = this.#counter;
    for (let i = 0; i < 4; i++) {
      counter[i] = (iv[4 * i]! << 24) | (iv[4 * i + 1]! << 16) | (iv[4 * i + 2]! << 8) | iv[4 * i + 3]!;
    }
    const block = this.#block;
    let read = start;
    let write = at;
    while (read < end) {
      this.#encryptCounter();
      if (end - read >= 16) {
        for (let i = 0; i < 4; i++) {
          const word = block[i]!;
          to[write] = from[read]! ^ (word >>> 24);
          to[write + 1] = from[read + 1]! ^ (word >>> 16);
          to[write + 2] = from[read + 2]! ^ (word >>> 8);
          to[write + 3] = from[read + 3]! ^ word;
          read += 4;
          write += 4;
        }
      } else {
        for (let i = 0; read < end; i++)
          to[write++] = from[read++]! ^ (block[i >> 2]! >>> (24 - 8 * (i & 3)));
      }
      for (let i = 3; i >= 0; i--) {
        counter[i] = counter[i]! + 1;
        if (counter[i] !== 0) break;
      }
    }
  }

  #encryptCounter(): void {
    const keys = this.#roundKeys;
    const counter = this.#counter;
    const t0 = tables[0]!;
    const t1 = tables[1]!;
    const t2 = tables[2]!;
    const t3 = tables[3]!;
    let a = counter[0]! ^ keys[0]!;
    let b = counter[1]! ^ keys[1]!;
    let c = counter[2]! ^ keys[2]!;
    let d = counter[3]! ^ keys[3]!;
    let k = 4;
    for (let round = 1; round < this.#rounds; round++) {
      const na = t0[a >>> 24]! ^ t1[(b >>> 16) & 255]! ^ t2[(c >>> 8) & 255]! ^ t3[d & 255]! ^ keys[k]!;
      const nb = t0[b >>> 24]! ^ t1[(c >>> 16) & 255]! ^ t2[(d >>> 8) & 255]! ^ t3[a & 255]! ^ keys[k + 1]!;
      const nc = t0[c >>> 24]! ^ t1[(d >>> 16) & 255]! ^ t2[(a >>> 8) & 255]! ^ t3[b & 255]! ^ keys[k + 2]!;
      d = t0[d >>> 24]! ^ t1[(a >>> 16) & 255]! ^ t2[(b >>> 8) & 255]! ^ t3[c & 255]! ^ keys[k + 3]!;
      a = na;
      b = nb;
      c = nc;
      k += 4;
    }
    const block = this.#block;
    block[0] = lastRound(a, b, c, d) ^ keys[k]!;
    block[1] = lastRound(b, c, d, a) ^ keys[k + 1]!;
    block[2] = lastRound(c, d, a, b) ^ keys[k + 2]!;
    block[3] = lastRound(d, a, b, c) ^ keys[k + 3]!;
  }
}

function lastRound(a: number, b: number, c: number, d: number): number {
  return (
    (sbox[a >>> 24]! << 24) | (sbox[(b >>> 16) & 255]! << 16) | (sbox[(c >>> 8) & 255]! << 8) | sbox[d & 255]!
  );
}

function expandKey(key: Uint8Array, words: number, rounds: number): Uint32Array {
  const out = new Uint32Array(4 * (rounds + 1));
  for (let i = 0; i < words; i++) {
    out[i] = (key[4 * i]! << 24) | (key[4 * i + 1]! << 16) | (key[4 * i + 2]! << 8) | key[4 * i + 3]!;
  }
  let roundConstant = 1;
  for (let i = words; i < out.length; i++) {
    let word = out[i - 1]!;
    if (i % words === 0) {
      word = substitute((word << 8) | (word >>> 24)) ^ (roundConstant << 24);
      roundConstant = ((roundConstant << 1) ^ (roundConstant & 0x80 ? 0x1b : 0)) & 0xff;
    } else if (words > 6 && i % words === 4) word = substitute(word);
    out[i] = out[i - words]! ^ word;
  }
  return out;
}

function substitute(word: number): number {
  return (
    (sbox[(word >>> 24) & 255]! << 24) |
    (sbox[(word >>> 16) & 255]! << 16) |
    (sbox[(word >>> 8) & 255]! << 8) |
    sbox[word & 255]!
  );
}
