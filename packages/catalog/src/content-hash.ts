import { type Fingerprint, sha256, toEnvelope } from "@longwave/fingerprint";

/** SHA-256 over profile, settings and records, first 16 bytes as hexadecimal text: equal for equal sound. */
export function contentHashOf(fingerprint: Fingerprint): string {
  let text = "";
  for (const byte of sha256(toEnvelope(fingerprint)).subarray(0, 16))
    text += byte.toString(16).padStart(2, "0");
  return text;
}
