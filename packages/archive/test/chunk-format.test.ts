import { Archive } from "@longwave/archive";
import { MemoryStore } from "@longwave/base";
import { expect, test } from "vitest";
import { type Chunk, chunkHeaderBytes, decodeChunk } from "../src/chunk-format.ts";
import { xxHash64 } from "../src/hash-core.ts";
import { decodeShardIndex, withoutChecksum } from "../src/shard.ts";
import { writeVarint } from "../src/varint.ts";
import { mixedSegment, toyDecoder } from "./fixtures.ts";

/** The payload of a chunk in the wider form that the first version wrote, without compression. */
function wideChunk(chunk: Chunk, payload: Uint8Array): Uint8Array {
  const lengths = new Uint8Array(5 * chunk.lengths.length);
  let lengthBytes = 0;
  for (const length of chunk.lengths) lengthBytes = writeVarint(lengths, lengthBytes, length);
  const n = chunk.points.length;
  const points = new DataView(new ArrayBuffer(16 * n));
  for (const [i, point] of chunk.points.entries()) {
    points.setUint16(2 * i, point.packet, true);
    points.setUint16(2 * (n + i), point.runUpFloat, true);
    points.setUint16(2 * (2 * n + i), point.runUpInt16, true);
    points.setUint16(2 * (3 * n + i), point.flags, true);
    points.setUint32(8 * n + 4 * i, point.byteOffset, true);
    points.setUint32(12 * n + 4 * i, point.digest, true);
  }
  const types = { loss: 1, "segment-start": 2, "end-trim": 3 };
  const events = new DataView(new ArrayBuffer(16 * chunk.events.length));
  for (const [i, event] of chunk.events.entries()) {
    events.setUint32(16 * i, event.packet, true);
    events.setUint8(16 * i + 4, types[event.type]);
    events.setUint32(16 * i + 8, event.frames, true);
    events.setUint32(16 * i + 12, event.segment, true);
  }
  const states = [...chunk.states].flatMap(([point, state]) => {
    const head = new DataView(new ArrayBuffer(8));
    head.setUint16(0, point, true);
    head.setUint32(4, state.length, true);
    // Four-byte lanes apart.
    const words = state.length >> 2;
    const lanes = state.map((byte, i) =>
      i < 4 * words ? state[4 * (i % words) + Math.floor(i / words)]! : byte,
    );
    return [new Uint8Array(head.buffer), lanes];
  });
  const sections = [
    lengths.subarray(0, lengthBytes),
    new Uint8Array(points.buffer),
    new Uint8Array(events.buffer),
    new Uint8Array(Buffer.concat(states)),
    chunk.packets,
  ];
  const bytes = new Uint8Array(Buffer.concat([payload.subarray(0, chunkHeaderBytes), ...sections]));
  const view = new DataView(bytes.buffer);
  bytes[6] = 0;
  for (const [i, section] of sections.entries()) view.setUint32(40 + 4 * i, section.length, true);
  const hash = new Uint32Array(2);
  xxHash64(hash, bytes.subarray(0, 64), bytes.subarray(chunkHeaderBytes));
  view.setUint32(64, hash[0]!, true);
  view.setUint32(68, hash[1]!, true);
  return bytes;
}

test("chunks with the wider tables of the first version are read alike", async () => {
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder: toyDecoder, profile: "toy" });
  const items = [...mixedSegment(1, 900), ...mixedSegment(2, 900)];
  const form = { id: "r", chunkFrames: 480_000, checkpointFrames: 48_000, chunksPerShard: 8 };
  await archive.import({ channels: 1, items: () => items }, form);
  const shard = (await store.get("rec/r/pcm/c/0/0"))!;
  const index = shard.subarray(shard.length - (16 * 8 + 4));
  let states = 0;
  for (const place of decodeShardIndex(index, 8, shard.length, "shard")) {
    if (place === undefined) continue;
    const payload = withoutChecksum(shard.slice(place.offset, place.offset + place.size), "chunk");
    const chunk = decodeChunk(payload, "toy", "chunk");
    states += chunk.states.size;
    const { storedBytes: _, ...wide } = decodeChunk(wideChunk(chunk, payload), "toy", "wide chunk");
    const { storedBytes: __, ...compact } = chunk;
    expect(wide).toEqual(compact);
  }
  expect(states).toBeGreaterThan(0);
});

test("a form of states or a compression that is not known is refused", async () => {
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder: toyDecoder, profile: "toy" });
  await archive.import({ channels: 1, items: () => mixedSegment(1, 100) }, { id: "r", v2Twin: true });
  const payload = withoutChecksum((await store.get("rec/r/pcm/0.0"))!, "chunk").slice();
  payload[6] = 2;
  const hash = new Uint32Array(2);
  xxHash64(hash, payload.subarray(0, 64), payload.subarray(chunkHeaderBytes));
  new DataView(payload.buffer).setUint32(64, hash[0]!, true);
  new DataView(payload.buffer).setUint32(68, hash[1]!, true);
  expect(() => decodeChunk(payload, "toy", "chunk")).toThrow("compression 2");
});
