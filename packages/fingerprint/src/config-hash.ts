import { sha256 } from "./sha256.ts";

/**
 * First 8 bytes of SHA-256 over the canonical JSON (keys sorted, no spaces) of a flat settings object, as hexadecimal
 * text. Fingerprints can be compared only where this agrees.
 */
export function configHash(settings: Readonly<Record<string, string | number>>): string {
  const keys = Object.keys(settings).sort();
  const json = `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(settings[key])}`).join(",")}}`;
  const digest = sha256(new TextEncoder().encode(json));
  let text = "";
  for (let i = 0; i < 8; i++) text += digest[i]!.toString(16).padStart(2, "0");
  return text;
}
