import { expect, test } from "vitest";
import { MemoryByteSource } from "../src/model/byte-source.ts";
import { SafetensorsFile } from "../src/model/safetensors.ts";
import { writeSafetensors } from "../src/model/safetensors-writer.ts";

function file(header: unknown, dataBytes = 0, claimed?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimed ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const open = (bytes: Uint8Array) => SafetensorsFile.open(new MemoryByteSource(bytes), "x.safetensors");
const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

test("what is written is read back", () => {
  const written = writeSafetensors(
    new Map([
      ["a", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 1e-9) }],
      ["b", { dtype: "I64", shape: [3], data: [0, -5, 2 ** 40] }],
      ["c", { dtype: "BF16", shape: [2], data: Uint16Array.of(0x3f80, 0xc000) }],
    ]),
    { note: "ä" },
  );
  const read = open(written);
  expect(read.metadata.get("note")).toBe("ä");
  expect([...read.floats("a", [2, 2])]).toEqual([1, -2, 3.5, Math.fround(1e-9)]);
  expect(read.integers("b")).toEqual([0, -5, 2 ** 40]);
  expect([...read.floats("c")]).toEqual([1, -2]);
});

test("half precision and booleans are converted exactly", () => {
  const bytes = file(
    {
      h: { dtype: "F16", shape: [5], data_offsets: [0, 10] },
      t: { dtype: "BOOL", shape: [2], data_offsets: [10, 12] },
    },
    12,
  );
  bytes.set(new Uint8Array(Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x7c00, 0x83ff).buffer), bytes.length - 12);
  bytes[bytes.length - 1] = 1;
  const read = open(bytes);
  expect([...read.floats("h")]).toEqual([1, -2.5, 2 ** -24, Number.POSITIVE_INFINITY, -1023 * 2 ** -24]);
  expect([...read.floats("t")]).toEqual([0, 1]);
});

test.each([
  ["an empty file", new Uint8Array(0), /too few/],
  ["a header beyond the file", file({}, 0, 1000), /claims 1000 bytes/],
  ["a huge header", file({}, 0, 2 ** 52), /the limit is/],
  ["text that is not JSON", file("{nonsense"), /not JSON/],
  ["a list as header", file("[]"), /not a JSON object/],
  ["an unknown type", file({ a: { dtype: "F33", shape: [1], data_offsets: [0, 4] } }, 4), /unknown type/],
  [
    "a type from the prototype",
    file({ a: { dtype: "toString", shape: [1], data_offsets: [0, 4] } }, 4),
    /unknown type/,
  ],
  ["a negative size", file({ a: f32([-1], 0, 4) }, 4), /not a list/],
  ["a size that overflows", file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /needs/],
  ["a wrong size", file({ a: f32([2], 0, 4) }, 4), /needs 8 bytes, has 4/],
  ["a range outside", file({ a: f32([2], 0, 8) }, 4), /ends at byte 8 of 4/],
  ["overlapping tensors", file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /overlaps/],
  ["a hole", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /belong to no tensor/],
  ["bytes at the end", file({ a: f32([1], 0, 4) }, 9), /after the last tensor/],
  ["metadata that is not text", file({ __metadata__: { a: 1 } }), /not a string/],
])("%s is refused before anything is read", (_, bytes, reason) => {
  expect(() => open(bytes)).toThrow(
    expect.objectContaining({ code: "tts/model-malformed", message: expect.stringMatching(reason) }),
  );
});

test("a missing tensor and a wrong shape are named", () => {
  const read = open(file({ a: f32([1], 0, 4) }, 4));
  expect(() => read.info("b")).toThrow(/"b" is missing/);
  expect(() => read.info("a", [2])).toThrow(/shape \[1\], expected \[2\]/);
});
