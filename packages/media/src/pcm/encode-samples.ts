import { MediaError } from "../errors.ts";
import { cellBytes, cellF32, cellF64, machineIsLittleEndian } from "./float-bits.ts";
import { bytesPerSample, checkSampleRange, type SampleEncoding } from "./sample-format.ts";

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
  const size = bytesPerSample[encoding];
  const end = at + count;
  let to = start;
  if (encoding === "f32" || encoding === "f64") {
    const flip = bigEndian === machineIsLittleEndian ? size - 1 : 0;
    const cell = size === 4 ? cellF32 : cellF64;
    for (let i = at; i < end; i++, to += size) {
      cell[0] = pcm[i]!;
      for (let k = 0; k < size; k++) bytes[to + k] = cellBytes[k ^ flip]!;
    }
    return;
  }
  if (encoding === "u8") {
    for (let i = at; i < end; i++) bytes[to++] = quantize(pcm[i]!, 128) + 128;
    return;
  }
  const scale = encoding === "s16" ? 0x8000 : encoding === "s24" ? 0x80_0000 : 0x8000_0000;
  const flip = bigEndian ? size - 1 : 0;
  for (let i = at; i < end; i++, to += size) {
    let value = quantize(pcm[i]!, scale);
    for (let k = 0; k < size; k++) {
      bytes[to + (flip === 0 ? k : flip - k)] = value & 255;
      value >>= 8;
    }
  }
}
