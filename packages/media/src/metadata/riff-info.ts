import { text } from "./bext.ts";

/**
 * Reads the texts of a `LIST` chunk of type `INFO`: pairs of a four-character name (`INAM`, `IART`, `ICMT`, ...) and its text,
 * in order. Empty where the list is of another type; a cut entry ends the list.
 */
export function parseRiffInfo(bytes: Uint8Array): readonly (readonly [id: string, value: string])[] {
  const entries: [string, string][] = [];
  if (text(bytes, 0, 4) !== "INFO") return entries;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 4; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    if (size > bytes.length - at - 8) break;
    entries.push([text(bytes, at, at + 4), text(bytes, at + 8, at + 8 + size)]);
    at += 8 + size + (size % 2);
  }
  return entries;
}
