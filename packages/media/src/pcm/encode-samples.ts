import { MediaError } from "../errors.ts";
import { cellF32, cellF64, cellWords, highWord } from "./float-bits.ts";
import { checkSampleRange, type SampleEncoding } from "./sample-format.ts";

/** Adding and taking away 1.5 * 2^52 leaves a double rounded to an integer, half to even (IEEE 754 default rounding). */
const roundingMagic = 6_755_399_441_055_744;

/** `value` times `scale`, rounded half to even and clipped to [-scale, scale - 1]; NaN gives 0. */
export function quantize(value: number, scale: number): number {
  const scaled = value * scale;
  if (scaled >= scale - 1) return scale - 1;
  if (scaled <= -scale) return -scale;
  return Number.isNaN(scaled) ? 0 : scaled + roundingMagic - roundingMagic;
}

/**
 * Stores `count` floats from `pcm[at...]` as samples at `bytes[start...]`: multiplied by 2^(n-1), rounded half to even,
 * clipped; NaN becomes 0. Floats are stored as they are. Allocates nothing.
 * @throws MediaError `media/bad-argument` where the samples do not fit
 */
export function encodeSamples(
  pcm: Float32Array,
  at: number,
  count: number,
  encoding: SampleEncoding,
  bigEndian: boolean,
  bytes: Uint8Array,
  start: number,
): void {
  checkSampleRange(bytes, start, count, encoding);
  if (!(at >= 0 && at + count <= pcm.length)) {
    throw new MediaError(
      "media/bad-argument",
      `There are no ${count} samples at ${at} of ${pcm.length} floats.`,
    );
  }
  const end = at + count;
  let to = start;
  switch (encoding) {
    case "u8":
      for (let i = at; i < end; i++) bytes[to++] = quantize(pcm[i]!, 128) + 128;
      return;
    case "s16": {
      const high = bigEndian ? 0 : 1;
      for (let i = at; i < end; i++, to += 2) {
        const value = quantize(pcm[i]!, 0x8000);
        bytes[to + high] = value >> 8;
        bytes[to + 1 - high] = value;
      }
      return;
    }
    case "s24": {
      const high = bigEndian ? 0 : 2;
      for (let i = at; i < end; i++, to += 3) {
        const value = quantize(pcm[i]!, 0x80_0000);
        bytes[to + high] = value >> 16;
        bytes[to + 1] = value >> 8;
        bytes[to + 2 - high] = value;
      }
      return;
    }
    case "s32":
      for (let i = at; i < end; i++, to += 4) putWord(bytes, to, quantize(pcm[i]!, 0x8000_0000), bigEndian);
      return;
    case "f32":
      for (let i = at; i < end; i++, to += 4) {
        cellF32[0] = pcm[i]!;
        putWord(bytes, to, cellWords[0]!, bigEndian);
      }
      return;
    case "f64": {
      const high = bigEndian ? 0 : 4;
      for (let i = at; i < end; i++, to += 8) {
        cellF64[0] = pcm[i]!;
        putWord(bytes, to + high, cellWords[highWord]!, bigEndian);
        putWord(bytes, to + 4 - high, cellWords[1 - highWord]!, bigEndian);
      }
    }
  }
}

/** Stores the low 32 bits of an integer. */
function putWord(bytes: Uint8Array, at: number, value: number, bigEndian: boolean): void {
  const word = value | 0;
  bytes[at + (bigEndian ? 3 : 0)] = word;
  bytes[at + (bigEndian ? 2 : 1)] = word >> 8;
  bytes[at + (bigEndian ? 1 : 2)] = word >> 16;
  bytes[at + (bigEndian ? 0 : 3)] = word >> 24;
}
