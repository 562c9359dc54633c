import { FingerprintError } from "../errors.ts";
import { BchCode } from "./bch.ts";
import { hmacSha256 } from "./hmac.ts";

/** Bytes of a payload: 4 (BCH 127,64 corrects 10 of 127 bits) or 8 (BCH 255,99 corrects 23 of 255). */
export type PayloadBytes = 4 | 8;

const checkBytes = 2;
const macBytes = 2;
/** Least reliable bits of a word that are tried both ways. */
const chaseBits = 7;

/**
 * The message of `keymark-v1` and its code: payload, CRC-16 of it, the first 16 bits of HMAC-SHA256(key, payload), zeros
 * up to the message length of the BCH code; bytes most significant bit first.
 */
export class MessageCode {
  readonly payloadBytes: PayloadBytes;
  readonly #key: Uint8Array;
  readonly #bch: BchCode;

  constructor(key: Uint8Array, payloadBytes: PayloadBytes) {
    this.#key = key;
    this.payloadBytes = payloadBytes;
    this.#bch = payloadBytes === 4 ? new BchCode(7, 10) : new BchCode(8, 23);
  }

  /** Bits of a code word. */
  get codeBits(): number {
    return this.#bch.length;
  }

  /** @throws FingerprintError `watermark/payload` for another number of bytes */
  encode(payload: Uint8Array): Uint8Array {
    if (payload.length !== this.payloadBytes) {
      throw new FingerprintError("watermark/payload", `A payload has 4 or 8 bytes, not ${payload.length}.`);
    }
    const bits = new Uint8Array(this.#bch.messageBits);
    [...this.#messageOf(payload)].forEach((byte, at) => {
      for (let i = 0; i < 8; i++) bits[8 * at + i] = (byte >> (7 - i)) & 1;
    });
    return this.#bch.encode(bits);
  }

  /**
   * The payload of a received code word, and how many bits had to be corrected; undefined where the word is no code
   * word, or its checks fail. `word` is overwritten.
   */
  decode(word: Uint8Array): { payload: Uint8Array; corrected: number } | undefined {
    const corrected = this.#bch.decode(word);
    if (corrected === undefined) return undefined;
    const bits = word.subarray(this.#bch.length - this.#bch.messageBits);
    const message = new Uint8Array(this.payloadBytes + checkBytes + macBytes);
    for (let at = 0; at < bits.length; at++) {
      if (bits[at] === 0) continue;
      if (at >= 8 * message.length) return undefined;
      message[at >> 3]! |= 0x80 >> (at & 7);
    }
    const payload = message.slice(0, this.payloadBytes);
    return equalInConstantTime(message, this.#messageOf(payload)) ? { payload, corrected } : undefined;
  }

  /**
   * The payload of a code word of which each bit is known with more or less certainty: the sign of `soft` is the bit, the magnitude
   * how sure it is. The least sure ones are tried both ways (Chase 1972, second algorithm).
   * @returns undefined where none of the words can be decoded; else the payload, and how many bits had the wrong sign
   */
  decodeSoft(soft: Float64Array): { payload: Uint8Array; wrong: number } | undefined {
    const received = Uint8Array.from(soft, (value) => (value > 0 ? 1 : 0));
    const weakest = Array.from(soft.keys())
      .sort((a, b) => Math.abs(soft[a]!) - Math.abs(soft[b]!) || a - b)
      .slice(0, chaseBits);
    const base = new Uint16Array(this.#bch.syndromeCount);
    received.forEach((bit, at) => {
      if (bit !== 0) this.#bch.flip(base, at);
    });
    const syndromes = new Uint16Array(base.length);
    for (let flips = 0; flips < 1 << chaseBits; flips++) {
      syndromes.set(base);
      for (let i = 0; i < chaseBits; i++) if ((flips >> i) & 1) this.#bch.flip(syndromes, weakest[i]!);
      if (this.#bch.locate(syndromes) === undefined) continue;
      const word = received.slice();
      for (let i = 0; i < chaseBits; i++) word[weakest[i]!]! ^= (flips >> i) & 1;
      const read = this.decode(word);
      if (read === undefined) continue;
      const wrong = word.reduce((sum, bit, at) => sum + (bit === received[at] ? 0 : 1), 0);
      return { payload: read.payload, wrong };
    }
    return undefined;
  }

  #messageOf(payload: Uint8Array): Uint8Array {
    const message = new Uint8Array(payload.length + checkBytes + macBytes);
    message.set(payload);
    new DataView(message.buffer).setUint16(payload.length, crc16(payload));
    message.set(hmacSha256(this.#key, payload).subarray(0, macBytes), payload.length + checkBytes);
    return message;
  }
}

/** CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF. */
function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** Compares without stopping at the first difference, so that the time tells nothing of where it is. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}
