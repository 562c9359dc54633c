import { readFileSync } from "node:fs";
import { sharedPath } from "../../../testkit/src/index.ts";
import { MemoryByteSource } from "../src/model/byte-source.ts";
import { SafetensorsFile } from "../src/model/safetensors.ts";

/** The two sets of golden tensors in the shared test data. */
export const goldenSets = ["tiny", "tinynobos"] as const;

export function goldenFolder(set: string): string | undefined {
  return sharedPath(`data/tts/${set}`);
}

export function openTensors(path: string): SafetensorsFile {
  return SafetensorsFile.open(new MemoryByteSource(readFileSync(path)), path);
}

/** Largest absolute difference, infinite where the lengths differ or a value is not a number. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}

export function maxMagnitude(a: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]!));
  return largest;
}
