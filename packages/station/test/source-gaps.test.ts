import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type ArchivedRecording,
  checkIntegrity,
  exportOpus,
  exportWav,
  planExport,
  proveIntegrity,
  proveStream,
  recordingGaps,
  StationArchive,
} from "../src/index.ts";
import { Bench, collect, second } from "./recorder-bench.ts";

describe("a source that had no sound", () => {
  test("is a gap with its reason, not silence, and can be read up to there while it lasts", async () => {
    const bench = new Bench();
    await bench.open();
    await bench.miss(2, "source-away");
    expect(bench.recorder.recording).toBeUndefined();
    await bench.play(5);
    await bench.miss(3, "source-silent");
    await bench.miss(4, "source-away");
    const [during] = await bench.archive.recordings("studio-1");
    expect(during!.info.frames).toBeGreaterThanOrEqual(5 * second - 960);
    await bench.play(5);
    await bench.miss(2, "source-silent");
    await bench.play(2);
    await bench.recorder.close();
    const [{ info, spans }] = (await bench.archive.recordings("studio-1")) as [ArchivedRecording];
    expect(spans.map(({ startMs }) => startMs - spans[0]!.startMs)).toEqual([0, 12_000, 19_000]);
    const gaps = recordingGaps(info);
    expect(
      gaps.map(({ reason, startMs }) => [reason, Math.round((startMs - spans[0]!.startMs) / 100)]),
    ).toEqual([
      ["source-away", 50],
      ["source-silent", 170],
    ]);
    expect(info.counts.lost).toBe(0);
    expect(bench.events.filter(({ type }) => type === "archive.gap")).toMatchObject([
      { reason: "source-away", gapMs: 7000 },
      { reason: "source-silent", gapMs: 2000 },
    ]);
    const proof = await proveIntegrity(bench.archive, info.id, { start: 4 * second, end: 6 * second });
    expect(proof.gaps).toMatchObject([{ frames: 0, reason: "source-away" }]);
    expect(Math.abs(proof.gaps[0]!.at - second)).toBeLessThan(1000);
    expect(Math.abs(proof.gaps[0]!.ms - 7000)).toBeLessThan(10);
    // Stored, not remembered.
    const again = await StationArchive.open(bench.store, { clock: bench.clock, place: "a test" });
    expect(recordingGaps((await again.recording(info.id)).info)).toEqual(gaps);
  });

  test("is a loss where it was short, and goes on in the next run with its reasons kept", async () => {
    const bench = new Bench();
    await bench.open();
    await bench.play(3);
    await bench.miss(0.4, "source-silent");
    await bench.play(3);
    await bench.miss(2, "source-away");
    await bench.play(2);
    await bench.recorder.close();
    bench.skip(30);
    await bench.open();
    await bench.play(2);
    await bench.recorder.close();
    const [{ info }] = (await bench.archive.recordings("studio-1")) as [ArchivedRecording];
    expect(info.counts.lost).toBeGreaterThan(0);
    expect(recordingGaps(info).map(({ reason }) => reason)).toEqual(["source-away", "not-recorded"]);
  });
});

describe("the proof of an export between two moments", () => {
  const stream = "studio-1";
  const bench = new Bench();
  const at = (seconds: number) => seconds * 1000;
  let startMs = 0;
  beforeAll(async () => {
    await bench.open();
    startMs = bench.clock.wallUs() / 1000;
    await bench.play(4, (block) => block >= 50 && block < 60);
    await bench.miss(3, "source-away");
    await bench.play(3);
    await bench.recorder.close();
    bench.skip(5);
    await bench.open();
    await bench.play(4);
    await bench.recorder.close();
  });

  test("says which parts are no recorded sound and why, and holds for both files", async () => {
    const [fromMs, toMs] = [startMs, startMs + at(20)] as const;
    const proof = await proveStream(bench.archive, stream, fromMs, toMs);
    expect(proof).toMatchObject({ frames: 20 * second, exact: true });
    const rounded = proof.gaps.map(({ at, frames, reason }) => [
      reason,
      Math.round((10 * at) / second),
      Math.round((10 * frames) / second),
    ]);
    expect(rounded).toEqual([
      ["lost", 10, 2],
      ["source-away", 40, 30],
      ["not-recorded", 100, 50],
      ["not-recorded", 190, 10],
    ]);
    const plan = await planExport(
      bench.archive,
      stream,
      BigInt(fromMs) * 1_000_000n,
      BigInt(toMs) * 1_000_000n,
    );
    const wav = await collect(exportWav(bench.archive, plan));
    const samples = new Int16Array(wav.buffer, wav.length - 4 * proof.frames);
    for (const { at, frames, reason } of proof.gaps) {
      if (reason !== "lost")
        expect(samples.subarray(2 * at, 2 * (at + frames)).every((each) => each === 0)).toBe(true);
    }
    for (const bytes of [wav, await collect(exportOpus(bench.archive, plan))]) {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(await checkIntegrity(bench.archive, JSON.parse(JSON.stringify(proof)), sha256)).toEqual([]);
    }
    const [gap] = proof.gaps;
    for (const [changed, problem] of [
      [{ gaps: [] }, /gaps/],
      [{ gaps: [{ ...gap, reason: "not-recorded" }, ...proof.gaps.slice(1)] }, /gaps/],
      [{ wav: proof.opus }, /sound/],
      [{ pieces: proof.pieces.slice(1) }, /pieces/],
      [{ pieces: proof.pieces.map((piece) => ({ ...piece, from: 0 })) }, /Piece 2/],
    ] as const) {
      const problems = await checkIntegrity(bench.archive, { ...proof, ...changed });
      expect(problems.join(" ")).toMatch(problem);
    }
    expect(await checkIntegrity(bench.archive, proof, "0".repeat(64))).toHaveLength(1);
    await expect(checkIntegrity(bench.archive, { ...proof, to: proof.from })).rejects.toMatchObject({
      code: "station/bad-proof",
    });
  });

  test("knows the reason of a gap that an export begins or ends in", async () => {
    for (const [from, to] of [
      [2, 6],
      [5, 9],
    ] as const) {
      const { gaps } = await proveStream(bench.archive, stream, startMs + at(from), startMs + at(to));
      expect(gaps.map(({ reason, ms }) => [reason, Math.round(ms / 100)])).toEqual([["source-away", 20]]);
    }
  });
});
