import { BitReader, BitWriter } from "./bit-stream.ts";
import { putGamma, putRice, riceBound, takeGamma, takeRice } from "./posting-codec.ts";

/** Frequencies of stored peaks are in 1/8 bin; records of `mark-v1` count in 1/256. */
const frequencyStep = 32;
const frequencyBits = 12;
const frameParameter = 1;

/** Records of `mark-v1` with frequencies as a segment stores them, so that answers do not change with a compaction. */
export function roundedPeaks(records: Uint32Array): Uint32Array {
  return records.map((value, i) => (i % 2 === 0 ? frequencyStep * codeOf(value) : value));
}

function codeOf(frequency: number): number {
  return Math.min(2 ** frequencyBits - 1, Math.floor(frequency / frequencyStep + 0.5));
}

/** The peaks of all tracks one after the other, and where each track's end. */
export function encodePeaks(tracks: readonly Uint32Array[]): { bytes: Uint8Array; ends: Uint32Array } {
  const writer = new BitWriter();
  const ends = new Uint32Array(tracks.length);
  for (const [track, records] of tracks.entries()) {
    writer.reserve(64 + (records.length / 2) * (riceBound + frequencyBits));
    putGamma(writer, records.length / 2 + 1);
    let frame = 0;
    for (let i = 0; i < records.length; i += 2) {
      putRice(writer, records[i + 1]! - frame, frameParameter);
      writer.put(codeOf(records[i]!), frequencyBits);
      frame = records[i + 1]!;
    }
    writer.align();
    ends[track] = writer.bytes;
  }
  return { bytes: new Uint8Array(writer.words.buffer, 0, writer.bytes), ends };
}

/** Records of `mark-v1` from the bytes of one track; undefined where they are malformed. */
export function decodePeaks(bytes: Uint8Array): Uint32Array | undefined {
  const words = new Uint32Array(Math.ceil(bytes.length / 4) + 2);
  new Uint8Array(words.buffer).set(bytes);
  const reader = new BitReader(words);
  reader.seek(0, bytes.length);
  const count = takeGamma(reader) - 1;
  // A peak takes at least 14 bits: no allocation for a count that cannot be.
  if (reader.failed || count * (frequencyBits + 2) > 8 * bytes.length) return undefined;
  const records = new Uint32Array(2 * count);
  let frame = 0;
  for (let i = 0; i < records.length; i += 2) {
    frame += takeRice(reader, frameParameter);
    records[i] = frequencyStep * reader.take(frequencyBits);
    records[i + 1] = frame;
  }
  return reader.failed ? undefined : records;
}
