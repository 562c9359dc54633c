import type { Random } from "@longwave/base";
import { AesCtr } from "./aes-ctr.ts";
import { pbkdf2Sha256 } from "./sha256.ts";

/** A key stream in counter mode; see `AesCtr.apply`. */
export interface CounterCipher {
  apply(iv: Uint8Array, from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void;
}

/** Synchronous cryptography and key material, by argument like every other outside influence. */
export interface BondCrypto {
  /** PBKDF2-HMAC-SHA256; `byteCount` 16 or 32. */
  deriveKey(passphrase: Uint8Array, salt: Uint8Array, iterations: number, byteCount: number): Uint8Array;
  /** A cipher for a key of 16 or 32 bytes. */
  createCipher(key: Uint8Array): CounterCipher;
  /**
   * `base^exponent mod modulus`, big-endian bytes, base from 2 to modulus - 2; for SRP. Default: portable arithmetic, whose time
   * depends on the exponent.
   */
  modPow?(base: Uint8Array, exponent: Uint8Array, modulus: Uint8Array): Uint8Array;
  /** Unpredictable bytes for nonces and SRP secrets. */
  randomBytes(count: number): Uint8Array;
}

/**
 * The portable implementation. `randomBytes` is as good as `random` is: with a seeded source the run can be repeated and
 * nothing is secret, so real links use the Node adapter's port.
 */
export function portableCrypto(random: Random): BondCrypto {
  return {
    deriveKey: pbkdf2Sha256,
    createCipher: (key) => new AesCtr(key),
    randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
  };
}
