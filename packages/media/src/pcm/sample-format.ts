import { MediaError } from "../errors.ts";

/** How one sample is stored: unsigned or signed integers, or IEEE 754 floats. */
export type SampleEncoding = "u8" | "s16" | "s24" | "s32" | "f32" | "f64";

/** Bytes that one sample takes. */
export const bytesPerSample: Readonly<Record<SampleEncoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};

/** Throws `media/bad-argument` unless `[start, start + count * size)` lies inside `bytes`. */
export function checkSampleRange(
  bytes: Uint8Array,
  start: number,
  count: number,
  encoding: SampleEncoding,
): void {
  const size = bytesPerSample[encoding];
  if (!(start >= 0 && count >= 0 && start + count * size <= bytes.length)) {
    throw new MediaError(
      "media/bad-argument",
      `${count} samples of ${encoding} at byte ${start} do not fit into ${bytes.length} bytes.`,
    );
  }
}
