import { sha256 } from "@noble/hashes/sha2.js";

/** A SHA-256 in progress. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Hexadecimal hash of everything so far; more may follow. */
  digest(): string;
}

/** Makes hashes. The platform's own are many times faster than the portable ones; Node's are in `@longwave/archive/node`. */
export type Sha256Factory = () => Sha256;

/** In JavaScript, the same everywhere. */
export function portableSha256(): Sha256 {
  const hash = sha256.create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hex(hash.clone().digest()),
  };
}

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
