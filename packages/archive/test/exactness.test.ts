import { Archive, type PacketItem } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import { SegmentDecoder } from "../src/decode-run.ts";

/** The sequential decode: one decoder from the first packet on. */
function sequential(items: readonly PacketItem[], channels: number): Float32Array {
  const run = new SegmentDecoder(createSeekableDecoder, "opus-1", channels);
  const pieces: Float32Array[] = [];
  let skip = 0;
  for (const item of items) {
    if (item.type === "segment") {
      run.start(item.head);
      skip = item.head.preSkip;
      continue;
    }
    const frames =
      item.type === "loss"
        ? run.decoder.decode(null, run.pcm, item.frames)
        : run.decoder.decode(item.data, run.pcm);
    const cut = Math.min(skip, frames);
    skip -= cut;
    pieces.push(run.pcm.slice(cut * channels, frames * channels));
  }
  run.close();
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const same = (a: Float32Array, b: Float32Array) =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;

const seconds = Number(process.env["LONGWAVE_ARCHIVE_SECONDS"] ?? 11.5);
const slices = Number(process.env["LONGWAVE_ARCHIVE_SLICES"] ?? 15);

describe.each(streamKinds.map((kind) => [kind.name, kind] as const))("%s", (name, kind) => {
  test("random slices equal the sequential decode, and verify agrees", async () => {
    const items = await opusStream(kind, seconds);
    const expected = sequential(items, kind.channels);
    const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
    const writer = await archive.record({ id: "r", channels: kind.channels, chunksPerShard: 6 });
    for (const item of items) await writer.push(item);
    const info = await writer.close();
    expect(info.frames * kind.channels).toBe(expected.length);
    const random = new SeededRandom(seconds);
    let wrong = 0;
    for (let i = 0; i < slices; i++) {
      const from = random.below(info.frames);
      const to = Math.min(info.frames, from + 1 + random.below(96_000));
      const { pcm } = await archive.read("r", { from, to });
      if (!same(pcm, expected.subarray(from * kind.channels, to * kind.channels))) wrong++;
    }
    for (let from = 77_777; from < info.frames; from += 90_001) {
      const to = Math.min(info.frames, from + 90_001);
      const { pcm } = await archive.read("r", { from, to });
      if (!same(pcm, expected.subarray(from * kind.channels, to * kind.channels))) wrong++;
    }
    expect(wrong).toBe(0);
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
    const { counts } = info;
    if (process.env["LONGWAVE_ARCHIVE_REPORT"]) {
      const share = (100 * counts.indexBytes) / counts.packetBytes;
      const duplicated = (100 * counts.preRollBytes) / counts.packetBytes;
      console.log(
        `${name}: index ${share.toFixed(2)} %, pre-roll ${duplicated.toFixed(1)} %`,
        JSON.stringify(counts),
      );
    }
    if (name === "SILK organ" || name === "pauses with DTX") expect(counts.checkpoints).toBeGreaterThan(0);
    if (name.startsWith("CELT music")) expect([counts.checkpoints, counts.maxRunUp < 97]).toEqual([0, true]);
    archive.close();
  });
});

test("a fixed pre-roll of 80 ms fails the same comparison on music and speech", async () => {
  for (const kind of streamKinds.filter(
    (each) => each.name === "CELT music 64k stereo" || each.name === "SILK speech wide band",
  )) {
    const items = await opusStream(kind, 12);
    const expected = sequential(items, kind.channels);
    const packets = items.filter((item) => item.type === "packet");
    const run = new SegmentDecoder(createSeekableDecoder, "opus-1", kind.channels);
    const head = items[0]!.type === "segment" ? items[0]!.head : undefined;
    const random = new SeededRandom(1);
    let wrong = 0;
    for (let i = 0; i < 60; i++) {
      const packet = 10 + random.below(packets.length - 20);
      run.start(head!);
      for (let k = packet - 4; k <= packet; k++) run.decoder.decode(packets[k]!.data, run.pcm);
      const at = (packet * 960 - head!.preSkip) * kind.channels;
      if (!same(run.pcm.slice(0, 960 * kind.channels), expected.slice(at, at + 960 * kind.channels))) wrong++;
    }
    run.close();
    expect(wrong).toBeGreaterThan(39);
  }
});
