import { Archive } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { expect, test } from "vitest";
import { emptyReport } from "../src/recording-reader.ts";
import { addDifference, stateDifference } from "../src/state-difference.ts";

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
