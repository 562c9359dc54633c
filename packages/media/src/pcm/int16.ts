import { MediaError } from "../errors.ts";
import { quantize } from "./encode-samples.ts";

/** Floats to 16-bit integers: times 32,768, rounded half to even, clipped, NaN to 0. Returns the samples written. */
export function toInt16(pcm: Float32Array, into: Int16Array, count: number = pcm.length): number {
  checkCount(count, pcm.length, into.length);
  for (let i = 0; i < count; i++) into[i] = quantize(pcm[i]!, 0x8000);
  return count;
}

/** 16-bit integers to floats in [-1, 1): divided by 32,768, which is exact. Returns the samples written. */
export function fromInt16(pcm: Int16Array, into: Float32Array, count: number = pcm.length): number {
  checkCount(count, pcm.length, into.length);
  for (let i = 0; i < count; i++) into[i] = pcm[i]! / 0x8000;
  return count;
}

function checkCount(count: number, available: number, room: number): void {
  if (count >= 0 && count <= available && count <= room) return;
  throw new MediaError(
    "media/bad-argument",
    `Cannot convert ${count} samples from ${available} into room for ${room}.`,
  );
}
