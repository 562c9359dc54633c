import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A new ULID: 48 bits of Unix milliseconds and 80 random ones in Crockford's base 32, so identifiers sort by time. */
export function newUlid(nowMs: number = Date.now()): string {
  let text = "";
  for (let shift = 45; shift >= 0; shift -= 5) text += alphabet[Math.floor(nowMs / 2 ** shift) % 32];
  for (const byte of randomBytes(16)) text += alphabet[byte & 31];
  return text;
}
