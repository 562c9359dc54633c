import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BitReader, BitWriter } from "../src/bit-stream.ts";
import { decodePeaks, encodePeaks } from "../src/peak-codec.ts";
import { putGamma, putRice, riceParameter, takeGamma, takePlaces, takeRice } from "../src/posting-codec.ts";

/** What `read` gives back of what `write` wrote, from a byte that lies anywhere. */
function through<T>(write: (writer: BitWriter) => void, read: (reader: BitReader) => T): T {
  const writer = new BitWriter();
  writer.reserve(1 << 16);
  writer.put(0b101, 3);
  writer.align();
  write(writer);
  const words = new Uint32Array(writer.words.length + 2);
  words.set(writer.words);
  const reader = new BitReader(words);
  reader.seek(1, writer.bytes);
  return read(reader);
}

const place = fc.oneof(
  fc.nat(300),
  fc.nat(2 ** 31 - 1),
  fc.maxSafeInteger().map((x) => Math.abs(x) % 2 ** 38),
);

describe("posting codes", () => {
  test("give back Rice codes of every parameter, short and escaped", () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 50 }), fc.integer({ min: 0, max: 31 }), (values, k) => {
        const back = through(
          (writer) => {
            for (const value of values) putRice(writer, value, k);
          },
          (reader) => values.map(() => takeRice(reader, k)),
        );
        expect(back).toEqual(values);
      }),
    );
  });

  test("give back gamma codes", () => {
    const values = [1, 2, 3, 4, 63, 64, 65, 20_000, 2 ** 30 - 1];
    const back = through(
      (writer) => {
        for (const value of values) putGamma(writer, value);
      },
      (reader) => values.map(() => takeGamma(reader)),
    );
    expect(back).toEqual(values);
  });

  test("give back lists of ascending places, whatever their gaps", () => {
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 200 }), (unsorted) => {
        const places = unsorted.sort((a, b) => a - b);
        const universe = places.at(-1)! + 1;
        const k = riceParameter(universe, places.length);
        const list = new Float64Array(places.length);
        const found = through(
          (writer) => places.forEach((value, i) => void putRice(writer, value - (places[i - 1] ?? 0), k)),
          (reader) => takePlaces(reader, k, places.length, universe, list),
        );
        expect(found).toBe(places.length);
        expect([...list]).toEqual(places);
      }),
    );
  });

  test("read nothing beyond the end", () => {
    const reader = new BitReader(new Uint32Array([0xffff_ffff, 0xffff_ffff, 0, 0]));
    reader.seek(0, 8);
    for (let i = 0; i < 10; i++) takeRice(reader, 5);
    expect(reader.failed).toBe(true);
    reader.seek(0, 8);
    expect(takePlaces(reader, 5, 1000, 1e9, new Float64Array(1000))).toBe(0);
  });
});

test("peaks come back with their frames and the frequency to an eighth of a bin", () => {
  const tracks = [
    Uint32Array.of(2560, 0, 117_000, 0, 40_000, 5, 2561, 4000),
    new Uint32Array(0),
    Uint32Array.of(9999, 7),
  ];
  const { bytes, ends } = encodePeaks(tracks);
  for (const [i, records] of tracks.entries()) {
    const back = decodePeaks(bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i]))!;
    expect(back.length).toBe(records.length);
    for (let k = 0; k < records.length; k += 2) {
      expect(Math.abs(back[k]! - records[k]!)).toBeLessThanOrEqual(16);
      expect(back[k + 1]).toBe(records[k + 1]);
    }
  }
  expect(decodePeaks(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))).toBeUndefined();
});
