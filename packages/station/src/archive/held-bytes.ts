/** What a store answers for an object that is held in memory: a copy of it, or of the half-open range, cut at the end. */
export function readHeld(bytes: Uint8Array, range?: { start: number; end: number }): Uint8Array {
  return range === undefined ? bytes.slice() : bytes.slice(range.start, range.end);
}
