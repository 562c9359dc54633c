import { Archive, type PacketItem } from "@longwave/archive";
import { MemoryStore } from "@longwave/base";
import { expect, test } from "vitest";
import { monoHead, toyDecoder } from "./fixtures.ts";

const chunkFrames = 480_000;

/** A recording of ten-second chunks with packets of so many bytes; `readChunk` tells what a read from each asked the store for. */
async function recording(chunks: number, packetBytes: number): Promise<(chunk: number) => Promise<number>> {
  const archive = await Archive.open(new MemoryStore(), { decoder: toyDecoder, profile: "toy" });
  const data = new Uint8Array(packetBytes).fill(7);
  data.set([31 << 3, 253]);
  const items: PacketItem[] = [{ type: "segment", head: monoHead(0) }];
  for (let i = 0; i < chunks * 500; i++) items.push({ type: "packet", data });
  await archive.import({ channels: 1, items: () => items }, { id: "r", chunkFrames });
  return async (chunk) => {
    const from = chunk * chunkFrames + 100_000;
    return (await archive.read("r", { from, to: from + 100 })).report.requests;
  };
}

test("small chunks that were read are kept, all of a short recording", async () => {
  const readChunk = await recording(20, 40);
  for (let chunk = 0; chunk < 20; chunk++) await readChunk(chunk);
  for (let chunk = 19; chunk >= 0; chunk--) expect(await readChunk(chunk)).toBe(0);
});

test("large chunks are kept to a bound, those that were read last", async () => {
  // 600 kB each, 4 MiB are kept.
  const readChunk = await recording(9, 1200);
  for (let chunk = 0; chunk < 9; chunk++) await readChunk(chunk);
  for (let chunk = 8; chunk >= 4; chunk--) expect(await readChunk(chunk)).toBe(0);
  expect(await readChunk(0)).toBe(1);
  expect(await readChunk(8)).toBe(0);
  for (let chunk = 1; chunk < 9; chunk++) await readChunk(chunk);
  expect(await readChunk(0)).toBe(1);
  // Reads of the same chunk at the same time count it once.
  for (let round = 0; round < 10; round++) await Promise.all([readChunk(1), readChunk(1), readChunk(1)]);
  expect(await readChunk(1)).toBe(0);
});
