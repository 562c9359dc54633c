import { writeU32 } from "../wire/byte-order.ts";
import type { BondCrypto, CounterCipher } from "./crypto-port.ts";

/** PBKDF2 rounds (TR-06-2 section 5.4.1). */
const iterations = 1024;
/** Bad packets under one nonce before the source is ignored until it changes its nonce; librist's number. */
const badPacketsToMute = 5;
/** Derivations that one source may cause in a second; each costs about a fifth of a millisecond natively. */
const derivationsPerSecond = 10;
const noncesKept = 4;

interface KeyEntry {
  nonce: number;
  isAes256: boolean;
  cipher: CounterCipher;
  badPackets: number;
  /** An unmistakable packet was read under this nonce: chance cannot pass for it. */
  isProven: boolean;
}

/** The pre-shared key of one link, both directions: derives, caches and applies AES-CTR (TR-06-2 section 5.4). */
export class PreSharedKey {
  readonly #crypto: BondCrypto;
  readonly #passphrase: Uint8Array;
  readonly #iv = new Uint8Array(16);
  readonly #received: KeyEntry[] = [];
  #derivationWindowUs = 0;
  #derivations = 0;
  #sendNonce = 0;
  #sendCipher: CounterCipher | undefined;
  readonly isAes256: boolean;
  /** Datagrams that were dropped because of too many key derivations. */
  derivationsRefused = 0;

  constructor(crypto: BondCrypto, passphrase: Uint8Array, isAes256: boolean) {
    this.#crypto = crypto;
    this.#passphrase = passphrase.slice();
    this.isAes256 = isAes256;
  }

  /** Nonce for sending; a new one is drawn at the start and by `renew`. */
  get nonce(): number {
    if (this.#sendCipher === undefined) this.renew();
    return this.#sendNonce;
  }

  /** True if packets under this nonce have been read with this passphrase. */
  knows(nonce: number, isAes256: boolean): boolean {
    return this.#find(nonce, isAes256) !== undefined;
  }

  /** Draws a new nonce and key; due at the latest when the link's 32-bit sequence number wraps. */
  renew(): void {
    const salt = this.#crypto.randomBytes(4);
    // The top bit selects the even passphrase (0); we have only one. Zero is forbidden.
    salt[0] = salt[0]! & 0x7f;
    if (salt.every((byte) => byte === 0)) salt[3] = 1;
    this.#sendNonce = new DataView(salt.buffer, salt.byteOffset).getUint32(0);
    this.#sendCipher = this.#derive(salt, this.isAes256);
  }

  /** Encrypts `from[start, end)` to `to[at...)` for GRE version `version` and link sequence number `sequence`. */
  seal(
    version: number,
    sequence: number,
    from: Uint8Array,
    start: number,
    end: number,
    to: Uint8Array,
    at: number,
  ): void {
    this.#setVector(version, sequence);
    this.#sendCipher!.apply(this.#iv, from, start, end, to, at);
  }

  /** Decrypts; false where the nonce is muted or too many new nonces came. `markBad` tells about nonsense afterwards. */
  open(
    nonce: number,
    isAes256: boolean,
    version: number,
    sequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    to: Uint8Array,
    nowUs: number,
  ): boolean {
    const entry = this.#find(nonce, isAes256) ?? this.#admit(nonce, isAes256, nowUs);
    if (entry === undefined || entry.badPackets > badPacketsToMute) return false;
    this.#setVector(version, sequence);
    entry.cipher.apply(this.#iv, bytes, start, end, to, 0);
    return true;
  }

  /** Counts a datagram under `nonce` that decrypted to nonsense; true the first time, so that it is reported once. */
  markBad(nonce: number, isAes256: boolean): boolean {
    const entry = this.#find(nonce, isAes256);
    if (entry === undefined) return false;
    entry.badPackets++;
    return entry.badPackets === 1;
  }

  /** A datagram under `nonce` was sound beyond chance; earlier bad ones were noise. */
  markProven(nonce: number, isAes256: boolean): void {
    const entry = this.#find(nonce, isAes256);
    if (entry === undefined) return;
    entry.badPackets = 0;
    entry.isProven = true;
  }

  /** True once `markProven` was called for the nonce: only then may media be believed. */
  isProven(nonce: number, isAes256: boolean): boolean {
    return this.#find(nonce, isAes256)?.isProven === true;
  }

  #find(nonce: number, isAes256: boolean): KeyEntry | undefined {
    for (let i = 0; i < this.#received.length; i++) {
      const entry = this.#received[i]!;
      if (entry.nonce === nonce && entry.isAes256 === isAes256) return entry;
    }
    return undefined;
  }

  #admit(nonce: number, isAes256: boolean, nowUs: number): KeyEntry | undefined {
    if (nowUs - this.#derivationWindowUs >= 1_000_000) {
      this.#derivationWindowUs = nowUs;
      this.#derivations = 0;
    }
    if (this.#derivations >= derivationsPerSecond) {
      this.derivationsRefused++;
      return undefined;
    }
    this.#derivations++;
    const salt = new Uint8Array(4);
    writeU32(salt, 0, nonce);
    const entry = { nonce, isAes256, cipher: this.#derive(salt, isAes256), badPackets: 0, isProven: false };
    if (this.#received.length >= noncesKept) this.#received.shift();
    this.#received.push(entry);
    return entry;
  }

  #derive(salt: Uint8Array, isAes256: boolean): CounterCipher {
    const key = this.#crypto.deriveKey(this.#passphrase, salt, iterations, isAes256 ? 32 : 16);
    return this.#crypto.createCipher(key);
  }

  /** Version 0 keeps the sequence number in the last four bytes, later versions in the first four. */
  #setVector(version: number, sequence: number): void {
    writeU32(this.#iv, 0, version === 0 ? 0 : sequence);
    writeU32(this.#iv, 12, version === 0 ? sequence : 0);
  }
}
