import { type Fingerprint, sha256, toEnvelope } from "@longwave/fingerprint";

/** SHA-256 over profile, settings and records, first 16 bytes as hexadecimal text: equal for equal sound. */
export function contentHashOf(fingerprint: Fingerprint): string {
  return contentHashOfBytes(toEnvelope(fingerprint));
}

/** First 16 bytes of SHA-256 as hexadecimal text. */
export function contentHashOfBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of sha256(bytes).subarray(0, 16)) text += byte.toString(16).padStart(2, "0");
  return text;
}
