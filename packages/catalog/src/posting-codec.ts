import type { BitReader, BitWriter } from "./bit-stream.ts";

/*
 * Codes of the postings of a segment, all least significant bit first.
 *   Rice(k): quotient by 2^k in unary (ones, then a zero), then k bits. A quotient of 16 or more is written as 16 ones and
 *     53 bits of the whole value (Rice and Plaunt, 1971; Golomb, 1966).
 *   gamma: for n >= 1 with b bits: b - 1 ones, a zero, then the low b - 1 bits of n (Elias, 1975).
 */
const mostQuotient = 16;
const longestCode = mostQuotient + 53;

/** Bits that a Rice code can take at most. */
export const riceBound: number = longestCode;

/** The Rice parameter for `count` values that lie anywhere below `universe`, in ascending order, as differences. */
export function riceParameter(universe: number, count: number): number {
  const mean = Math.min(2 ** 31, universe / (count + 1));
  return mean < 1 ? 0 : 31 - Math.clz32(mean);
}

export function putRice(writer: BitWriter, value: number, k: number): void {
  if (value < 2 ** 32) {
    const quotient = value >>> k;
    if (quotient < mostQuotient) {
      const low = value & ((1 << k) - 1);
      const ones = (1 << quotient) - 1;
      if (quotient + 1 + k <= 32) {
        writer.put((low << (quotient + 1)) | ones, quotient + 1 + k);
      } else {
        writer.put(ones, quotient + 1);
        writer.put(low, k);
      }
      return;
    }
  } else if (value < mostQuotient * 2 ** k) {
    // k is 31 here, and the quotient at least 2.
    const quotient = Math.floor(value / 2 ** k);
    writer.put((1 << quotient) - 1, quotient + 1);
    writer.put(value & ((1 << k) - 1), k);
    return;
  }
  writer.put(2 ** mostQuotient - 1, mostQuotient);
  writer.put(value >>> 0, 32);
  writer.put(Math.floor(value / 2 ** 32), 21);
}

/** Writes the ascending `places[start, stop)` as Rice codes of their differences. */
export function putPlaces(
  writer: BitWriter,
  places: Uint32Array | Float64Array,
  start: number,
  stop: number,
  k: number,
): void {
  let previous = 0;
  for (let i = start; i < stop; ) {
    // Codes of up to 32 bits, which are nearly all, are written in one go.
    i += writer.putShortRices(places, i, stop, previous, k);
    if (i > start) previous = places[i - 1]!;
    if (i === stop) return;
    putRice(writer, places[i]! - previous, k);
    previous = places[i++]!;
  }
}

export function takeRice(reader: BitReader, k: number): number {
  const next = reader.peek();
  const quotient = trailingOnes(next);
  if (quotient < mostQuotient) {
    if (quotient + 1 + k <= 32) {
      reader.skip(quotient + 1 + k);
      return quotient * 2 ** k + ((next >>> (quotient + 1)) & (2 ** k - 1));
    }
    reader.skip(quotient + 1);
    return quotient * 2 ** k + reader.take(k);
  }
  reader.skip(mostQuotient);
  const low = reader.take(32);
  return low + 2 ** 32 * reader.take(21);
}

/**
 * Reads a list of `count` ascending places into `into`; how many there are below `universe`.
 */
export function takePlaces(
  reader: BitReader,
  k: number,
  count: number,
  universe: number,
  into: Float64Array,
): number {
  let place = 0;
  let read = 0;
  while (read < count) {
    // Codes of up to 32 bits, which are nearly all, are read in one go.
    const before = place;
    const found = reader.takeShortRices(k, count - read, place, into, read);
    if (found > 0) place = into[read + found - 1]!;
    read += found;
    if (read < count) {
      place += takeRice(reader, k);
      into[read++] = place;
    }
    if (reader.failed || place < before) break;
    if (place >= universe) break;
  }
  while (read > 0 && into[read - 1]! >= universe) read--;
  return reader.failed ? 0 : read;
}

/** Ones at the low end of a u32. */
function trailingOnes(value: number): number {
  const zeros = ~value;
  return zeros === 0 ? 32 : 31 - Math.clz32(zeros & -zeros);
}

export function putGamma(writer: BitWriter, value: number): void {
  const bits = 31 - Math.clz32(value);
  if (bits < 16) {
    const ones = (1 << bits) - 1;
    writer.put(((value & ones) << (bits + 1)) | ones, 2 * bits + 1);
    return;
  }
  if (bits > 0) writer.put(2 ** bits - 1, bits);
  writer.put(0, 1);
  writer.put(value & (2 ** bits - 1), bits);
}

export function takeGamma(reader: BitReader): number {
  const next = reader.peek();
  const bits = trailingOnes(next);
  if (bits > 30) {
    reader.failed = true;
    return 1;
  }
  reader.skip(bits + 1);
  return 2 ** bits + reader.take(bits);
}
