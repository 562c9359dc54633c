import { Archive } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { expect, test } from "vitest";
import { SegmentDecoder } from "../src/decode-run.ts";
import { packetsOf, type StoredPacket } from "../src/packet-source.ts";
import { emptyReport } from "../src/recording-reader.ts";
import { StateSaver } from "../src/run-up-prover.ts";
import {
  addDifference,
  followDifference,
  type StateDifference,
  stateDifference,
} from "../src/state-difference.ts";
import { monoHead } from "./fixtures.ts";
import { forgeChunk } from "./forge-chunk.ts";

test("differences of states in the older form, as stores before have them, are read and verified alike", async () => {
  const kind = streamKinds.find((each) => each.name === "SILK organ")!;
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  const items = await opusStream(kind, 24);
  const form = { chunkFrames: 480_000, chunksPerShard: 4 };
  await archive.import({ channels: 1, items: () => items }, { id: "r", ...form });
  const decoder = new SegmentDecoder(createSeekableDecoder, "opus-1", 1);
  const saver = new StateSaver();
  const older = { version: 2, whole: false };
  let count = 0;
  const shard = { key: "rec/r/pcm/c/0/0", chunksPerShard: 4, profile: "opus-1" };
  await forgeChunk(store, shard, 1, (chunk) => {
    const packets = packetsOf(chunk);
    const differences = [...chunk.differences].map(([point, difference]): [number, StateDifference] => {
      const target = chunk.preRollCount + chunk.points[point]!.packet;
      const head = items[0]!.type === "segment" ? items[0]!.head : monoHead();
      const packetAt = (i: number) => packets.at(target - difference.runUp + i)!;
      const decode = ({ data, frames }: StoredPacket) => decoder.decode(data, frames, false);
      decoder.start(head);
      for (let i = 0; i < difference.runUp; i++) decode(packetAt(i));
      const near = saver.save(decoder, "live", 2);
      decoder.start(head);
      expect(followDifference(decoder, difference, packetAt, decode)).toBe(true);
      const bytes = stateDifference(saver.save(decoder, "live", 2), near)!;
      return [point, { runUp: difference.runUp, bytes, ...older }];
    });
    count = differences.length;
    return { differences: new Map(differences) };
  });
  decoder.close();
  expect(count).toBeGreaterThan(2);
  const again = await Archive.open(store, { decoder: createSeekableDecoder });
  const reader = again.reader(await again.info("r"));
  const chunk = await reader.chunk(1, emptyReport(await again.info("r")));
  expect([...chunk.differences.values()].every((each) => each.version === 2)).toBe(true);
  const findings = (await again.verify("r", "decode")).findings;
  // The forged shard's own hash is another matter.
  expect(findings.filter((each) => each.code === "archive/proof-failed")).toEqual([]);
  const { report } = await again.read("r", { from: 19 * 48_000, to: 19.5 * 48_000, verify: true });
  expect(report.fallbacks).toBe(0);
  again.close();
  archive.close();
});

test("a difference and what it was taken from give the state, whatever the bytes", () => {
  const random = new SeededRandom(6);
  for (const length of [0, 1, 2, 7, 64, 1238, 1239]) {
    for (let round = 0; round < 20; round++) {
      const [state, near] = [0, 1].map(() => Uint8Array.from({ length }, () => random.below(256)));
      const difference = stateDifference(state!, near!)!;
      expect(difference.length).toBe(length);
      expect(addDifference(near!, difference)).toEqual(state);
    }
  }
  expect(stateDifference(new Uint8Array(4), new Uint8Array(5))).toBeUndefined();
});

test("sustained voice, where run-ups never arrive, gets close states as differences, all of them exact", async () => {
  const kind = streamKinds.find((each) => each.name === "SILK organ")!;
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  const form = { id: "r", channels: kind.channels, chunkFrames: 480_000, chunksPerShard: 2 };
  const writer = await archive.record(form);
  for (const item of await opusStream(kind, 32)) await writer.push(item);
  const info = await writer.close();
  const reader = archive.reader(info);
  const differences: number[] = [];
  for (let number = 0; number < 3; number++)
    differences.push((await reader.chunk(number, emptyReport(info))).differences.size);
  // The first seconds tell that nothing arrives; from then on there is a start every few seconds.
  expect(differences[1]! + differences[2]!).toBeGreaterThan(2);
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
  const from = 15 * 48_000 + 77;
  const { pcm, report } = await archive.read("r", { from, to: from + 48_000, verify: true });
  expect([report.fallbacks, report.exact]).toEqual([0, true]);
  const whole = await archive.read("r", { from: 0, to: info.frames });
  const wanted = whole.pcm.subarray(from * kind.channels, (from + 48_000) * kind.channels);
  expect(Buffer.compare(Buffer.from(pcm.buffer), Buffer.from(wanted.slice().buffer))).toBe(0);
  const writerAgain = await archive.append("r");
  for (const item of await opusStream(kind, 2)) await writerAgain.push(item);
  await writerAgain.close();
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
  archive.close();
});
