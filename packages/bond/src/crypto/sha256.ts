// SHA-256 (FIPS 180-4), HMAC (RFC 2104) and PBKDF2 (RFC 8018), synchronous and portable.

// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 section 4.2.2).
// biome-ignore format: a table
const roundConstants = new Uint32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

const initialState = new Uint32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const schedule = new Uint32Array(64);

/** Mixes the 16 words at `schedule[0..16)` into `state`. */
function compress(state: Uint32Array): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  let e = state[4]! | 0;
  let f = state[5]! | 0;
  let g = state[6]! | 0;
  let h = state[7]! | 0;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + roundConstants[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
  state[5] = state[5]! + f;
  state[6] = state[6]! + g;
  state[7] = state[7]! + h;
}

/** SHA-256 of bytes that come in pieces; nothing is allocated until the digest. */
export class Sha256 {
  readonly #state: Uint32Array;
  readonly #block = new Uint8Array(64);
  #length = 0;

  /** @param state chaining value to start from, 8 words; default the standard's */
  constructor(state: Uint32Array = initialState) {
    this.#state = state.slice();
  }

  update(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    let fill = this.#length % 64;
    this.#length += end - start;
    for (let at = start; at < end; at++) {
      this.#block[fill++] = bytes[at]!;
      if (fill === 64) {
        this.#compressBlock();
        fill = 0;
      }
    }
    return this;
  }

  /** The 32 bytes of the digest; more may be hashed afterwards. */
  digest(): Uint8Array {
    const copy = new Sha256(this.#state);
    copy.#block.set(this.#block);
    const fill = this.#length % 64;
    const padding = new Uint8Array((fill < 56 ? 64 : 128) - fill);
    const view = new DataView(padding.buffer);
    padding[0] = 0x80;
    view.setUint32(padding.length - 8, Math.floor(this.#length / 0x2000_0000));
    view.setUint32(padding.length - 4, this.#length << 3);
    copy.#length = fill;
    copy.update(padding);
    const out = new Uint8Array(32);
    const outView = new DataView(out.buffer);
    for (let i = 0; i < 8; i++) outView.setUint32(4 * i, copy.#state[i]!);
    return out;
  }

  /** The digest in hexadecimal. */
  hex(): string {
    return Array.from(this.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  #compressBlock(): void {
    const block = this.#block;
    for (let i = 0; i < 16; i++) {
      schedule[i] =
        (block[4 * i]! << 24) | (block[4 * i + 1]! << 16) | (block[4 * i + 2]! << 8) | block[4 * i + 3]!;
    }
    compress(this.#state);
  }
}

/** SHA-256 of the concatenation of `parts`: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = new Sha256();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * PBKDF2-HMAC-SHA256.
 * @param byteCount at most 32: one block of output is all that RIST needs
 */
export function pbkdf2Sha256(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  byteCount: number,
): Uint8Array {
  const key = password.length > 64 ? sha256(password) : password;
  const inner = keyedState(key, 0x36);
  const outer = keyedState(key, 0x5c);
  const message = new Uint8Array(salt.length + 4);
  message.set(salt);
  message[message.length - 1] = 1;
  const pad = new Uint8Array(64);
  pad.set(key);
  const first = sha256(
    pad.map((byte) => byte ^ 0x5c),
    sha256(
      pad.map((byte) => byte ^ 0x36),
      message,
    ),
  );
  const block = new Uint32Array(8);
  const view = new DataView(first.buffer);
  for (let i = 0; i < 8; i++) block[i] = view.getUint32(4 * i);
  const sum = block.slice();
  const state = new Uint32Array(8);
  for (let round = 1; round < iterations; round++) {
    finishKeyed(inner, block, state);
    finishKeyed(outer, state, block);
    for (let i = 0; i < 8; i++) sum[i] = sum[i]! ^ block[i]!;
  }
  const out = new Uint8Array(32);
  const outView = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) outView.setUint32(4 * i, sum[i]!);
  return out.slice(0, byteCount);
}

function keyedState(key: Uint8Array, mask: number): Uint32Array {
  const state = initialState.slice();
  for (let i = 0; i < 16; i++) {
    let word = 0;
    for (let k = 0; k < 4; k++) word = (word << 8) | ((key[4 * i + k] ?? 0) ^ mask);
    schedule[i] = word;
  }
  compress(state);
  return state;
}

/** Hash of a keyed block of 64 bytes followed by the 32 bytes of `message`. */
function finishKeyed(keyed: Uint32Array, message: Uint32Array, out: Uint32Array): void {
  out.set(keyed);
  const words = schedule;
  for (let i = 0; i < 8; i++) words[i] = message[i]!;
  words[8] = 0x80000000;
  for (let i = 9; i < 15; i++) words[i] = 0;
  words[15] = (64 + 32) * 8;
  compress(out);
}
