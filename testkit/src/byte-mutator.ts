import type { Random } from "@longwave/base";

/** Numbers that sit at the edges of 8, 16, 24 and 32-bit fields. */
const edges = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 127, 128, 254, 255, 256, 0x7fff, 0x8000, 0xffff, 0xff_ffff, 0x7fff_ffff,
];

/**
 * A damaged copy of `source`: one to six changes, each a flipped bit, a random byte, an edge value in a field of 1 to 4
 * bytes of either order, a cut, a removed, repeated or inserted stretch, or a stretch of another input (`others`). The same
 * random sequence gives the same copy.
 */
export function mutateBytes(
  source: Uint8Array,
  random: Random,
  others: readonly Uint8Array[] = [],
): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(source);
  for (let left = 1 + random.below(6); left > 0; left--) bytes = mutateOnce(bytes, random, others);
  return bytes;
}

function mutateOnce(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random.below(256));
  const at = place(bytes.length, random);
  switch (random.below(8)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
    case 3:
      return putEdge(bytes, at, random);
    case 4:
      return bytes.slice(0, at);
    case 5:
      return splice(bytes, at, stretch(bytes.length - at, random), new Uint8Array(0));
    case 6: {
      const from = place(bytes.length, random);
      return splice(bytes, at, 0, bytes.subarray(from, from + stretch(bytes.length - from, random)));
    }
    default: {
      const other = others.length === 0 ? undefined : others[random.below(others.length)];
      const inserted =
        other === undefined || other.length === 0
          ? Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256))
          : other.subarray(random.below(other.length)).subarray(0, 64);
      return splice(bytes, at, random.below(2) === 0 ? 0 : inserted.length, inserted);
    }
  }
}

/** Half of all places are in the first 128 bytes, where headers are. */
function place(length: number, random: Random): number {
  return random.below(random.below(2) === 0 ? Math.min(length, 128) : length);
}

function stretch(length: number, random: Random): number {
  return 1 + random.below(Math.min(length, random.below(4) === 0 ? length : 16));
}

function putEdge(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const width = 1 + random.below(4);
  const bigEndian = random.below(2) === 0;
  const edge = edges[random.below(edges.length)]!;
  const value = random.below(2) === 0 ? edge : (0xffff_ffff - edge) >>> 0;
  for (let i = 0; i < width && at + i < bytes.length; i++) {
    bytes[at + i] = (value >>> (8 * (bigEndian ? width - 1 - i : i))) & 255;
  }
  return bytes;
}

function splice(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const tail = bytes.subarray(Math.min(bytes.length, at + removed));
  const result = new Uint8Array(at + inserted.length + tail.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(tail, at + inserted.length);
  return result;
}
