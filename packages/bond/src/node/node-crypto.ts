import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { AesCtr } from "../crypto/aes-ctr.ts";
import type { BondCrypto } from "../crypto/crypto-port.ts";
import { modularPower } from "./modular-power.ts";

/** Cryptography by Node: the machine's AES instructions, native key derivation, and the system's randomness. */
export const nodeCrypto: BondCrypto = {
  deriveKey: (passphrase, salt, iterations, byteCount) =>
    pbkdf2Sync(passphrase, salt, iterations, byteCount, "sha256"),
  createCipher: (key) => {
    const algorithm = key.length === 32 ? "aes-256-ctr" : "aes-128-ctr";
    return {
      apply: (iv, from, start, end, to, at) => {
        to.set(createCipheriv(algorithm, key, iv).update(from.subarray(start, end)), at);
      },
    };
  },
  modPow: modularPower,
  randomBytes: (count) => randomBytes(count),
};

/** As `nodeCrypto`, with the portable cipher: allocates nothing per packet. */
export const nodeCryptoWithoutAllocation: BondCrypto = {
  ...nodeCrypto,
  createCipher: (key) => new AesCtr(key),
};
