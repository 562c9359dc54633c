import { MediaError } from "../errors.ts";
import { cellF32, cellF64, cellWords, highWord } from "./float-bits.ts";
import { checkSampleRange, type SampleEncoding } from "./sample-format.ts";

/**
 * Turns `count` stored samples at `bytes[start...]` into floats at `pcm[at...]`. Integers of n bits are divided by
 * 2^(n-1), so full scale is [-1, 1); `u8` is centred at 128; floats pass through (f64 rounded to f32), NaN and infinities
 * included. Allocates nothing.
 * @throws MediaError `media/bad-argument` where the samples do not fit
 */
export function decodeSamples(
  bytes: Uint8Array,
  start: number,
  encoding: SampleEncoding,
  bigEndian: boolean,
  pcm: Float32Array,
  at: number,
  count: number,
): void {
  checkSampleRange(bytes, start, count, encoding);
  if (!(at >= 0 && at + count <= pcm.length)) {
    throw new MediaError(
      "media/bad-argument",
      `${count} samples at ${at} do not fit into ${pcm.length} floats.`,
    );
  }
  const end = at + count;
  let from = start;
  switch (encoding) {
    case "u8":
      for (let i = at; i < end; i++) pcm[i] = (bytes[from++]! - 128) / 128;
      return;
    case "s16": {
      const high = bigEndian ? 0 : 1;
      for (let i = at; i < end; i++, from += 2) {
        pcm[i] = (((bytes[from + high]! << 24) >> 16) | bytes[from + 1 - high]!) / 0x8000;
      }
      return;
    }
    case "s24": {
      const high = bigEndian ? 0 : 2;
      for (let i = at; i < end; i++, from += 3) {
        const value = (bytes[from + high]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2 - high]! << 8);
        pcm[i] = value / 0x8000_0000;
      }
      return;
    }
    case "s32":
      for (let i = at; i < end; i++, from += 4) pcm[i] = word(bytes, from, bigEndian) / 0x8000_0000;
      return;
    case "f32":
      for (let i = at; i < end; i++, from += 4) {
        cellWords[0] = word(bytes, from, bigEndian);
        pcm[i] = cellF32[0]!;
      }
      return;
    case "f64": {
      const high = bigEndian ? 0 : 4;
      for (let i = at; i < end; i++, from += 8) {
        cellWords[highWord] = word(bytes, from + high, bigEndian);
        cellWords[1 - highWord] = word(bytes, from + 4 - high, bigEndian);
        pcm[i] = cellF64[0]!;
      }
    }
  }
}

/** Four bytes as a signed 32-bit integer. */
function word(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  return bigEndian
    ? (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    : (bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!;
}
