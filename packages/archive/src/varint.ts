/** Unsigned LEB128 of values below 2^32: seven bits a byte, low group first, as in protocol buffers. */

/** Bytes that `value` takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest !== 0; rest >>>= 7) size++;
  return size;
}

/** Writes at `at`, returns the position behind it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0;
  let to = at;
  while (rest >= 0x80) {
    into[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[to++] = rest;
  return to;
}

/**
 * Reads exactly `count` values that fill `bytes` to its last byte.
 * @returns undefined where they do not (too few bytes, bytes left over, a value above 2^32 - 1)
 */
export function readVarints(bytes: Uint8Array, count: number): Uint32Array | undefined {
  // Every value takes at least one byte, so the count cannot make us allocate more than the input justifies.
  if (count > bytes.length) return undefined;
  const values = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28 || (shift === 28 && byte > 15)) return undefined;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    values[i] = value >>> 0;
  }
  return at === bytes.length ? values : undefined;
}
