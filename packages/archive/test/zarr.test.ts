import { Archive, codecName, createChunkCodec } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import type { OpusHead } from "@longwave/media";
import { expect, test } from "vitest";
import * as zarr from "zarrita";
import { toInt16 } from "../src/int16.ts";
import { ToyDecoder } from "./toy-decoder.ts";

const decoder = (head: OpusHead, profile: string) => new ToyDecoder(head, profile);

/** Our store as zarrita's: keys with a leading slash. */
function readable(store: MemoryStore) {
  return {
    get: (key: string) => store.get(key.slice(1)),
    async getRange(key: string, range: { offset: number; length: number } | { suffixLength: number }) {
      if ("offset" in range)
        return store.get(key.slice(1), { start: range.offset, end: range.offset + range.length });
      const size = (await store.head(key.slice(1)))?.size ?? 0;
      return store.get(key.slice(1), { start: Math.max(0, size - range.suffixLength), end: size });
    },
  };
}

test("stock zarrita reads what the archive reads, rounded to int16", async () => {
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder, profile: "toy" });
  const writer = await archive.record({ id: "r", channels: 2, chunkFrames: 96_000, chunksPerShard: 3 });
  const head: OpusHead = {
    channels: 2,
    preSkip: 312,
    inputSampleRate: 48_000,
    gainQ8: 64,
    family: 0,
    streams: 1,
    coupled: 1,
    mapping: Uint8Array.of(0, 1),
  };
  await writer.push({ type: "segment", head });
  const random = new SeededRandom(2);
  for (let i = 0; i < 900; i++) {
    const data = Uint8Array.from({ length: 40 }, () => random.below(250));
    data[0] = 252;
    await writer.push({ type: "packet", data });
  }
  const info = await writer.close();

  zarr.registry.set(codecName, async () => createChunkCodec(decoder) as never);
  const array = await zarr.open.v3(zarr.root(readable(store)).resolve("/rec/r/pcm"), { kind: "array" });
  expect(array.shape).toEqual([info.frames, 2]);
  for (const [from, to] of [
    [0, 1000],
    [95_000, 97_000],
    [280_000, 300_500],
    [info.frames - 5000, info.frames],
  ] as const) {
    const slice = await zarr.get(array, [zarr.slice(from, to), null]);
    const { pcm } = await archive.read("r", { from, to });
    expect(
      Buffer.compare(
        Buffer.from((slice.data as Int16Array).buffer),
        Buffer.from(Int16Array.from(pcm, toInt16).buffer),
      ),
    ).toBe(0);
  }
});

test("int16 rounds half to even and saturates", () => {
  const rounded = [0.5, 1.5, 2.5, -0.5, -1.5, 1.4, 40_000, -40_000].map((value) => toInt16(value / 32_768));
  expect(rounded).toEqual([0, 2, 2, 0, -2, 1, 32_767, -32_768]);
});
