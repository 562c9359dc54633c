import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive, clipPages } from "@longwave/archive";
import { createObject, MemoryStore, type ObjectWriter, StoreError } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { decodeAudioBytes } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";
import { beforeAll, describe, expect, test } from "vitest";
import { checkIntegrity, digestStore, proveIntegrity, WaveformPeaks } from "../src/index.ts";
import { fileDecoders } from "../src/node/file-decoders.ts";
import { Bench, collect, second } from "./recorder-bench.ts";

const noSpace = () => new StoreError("store/failed", "unavailable", "no space left on device.");

/** Fails every write of these keys while `broken`. */
class FullStore extends MemoryStore {
  broken = false;
  keys = /./;
  override async put(...args: Parameters<MemoryStore["put"]>) {
    if (this.broken && this.keys.test(args[0])) throw noSpace();
    return super.put(...args);
  }
}

/** Counts the objects that were begun and not ended, as a disk would hold their files open. */
class OpenFiles extends FullStore {
  open = 0;
  async create(key: string): Promise<ObjectWriter> {
    const pieces = await createObject(new MemoryStore(), key);
    const parts: Uint8Array[] = [];
    let isOpen = true;
    this.open++;
    const end = () => {
      if (isOpen) this.open--;
      isOpen = false;
    };
    return {
      write: async (bytes) => {
        if (this.broken) throw noSpace();
        parts.push(bytes.slice());
        await pieces.write(bytes);
      },
      commit: async () => {
        await this.put(key, new Uint8Array(Buffer.concat(parts)));
        end();
        return pieces.commit();
      },
      abort: async () => end(),
    };
  }
}

/** The whole recording decoded in one go. */
function decodeAll(packets: readonly Uint8Array[]): Float32Array {
  const head = { channels: 2, gainQ8: 0 };
  const decoder = createSeekableDecoder(head, "opus-1");
  const pcm = new Float32Array(packets.length * 1920);
  for (const [i, packet] of packets.entries()) decoder.decode(packet, pcm.subarray(i * 1920));
  decoder.close();
  return pcm.subarray(312 * 2);
}

describe("recording while on air", () => {
  const bench = new Bench();
  beforeAll(async () => {
    await bench.open();
    await bench.play(12);
  });

  test("what was heard a moment ago can be read while the recording grows", async () => {
    const [recording] = await bench.archive.recordings();
    expect(recording?.info.state).toBe("recording");
    expect(recording!.info.frames).toBeGreaterThan(10 * second);
    const { pcm, report } = await bench.archive.archive.read(recording!.info.id, {
      from: 9 * second,
      to: 10 * second,
    });
    expect(report.exact).toBe(true);
    const whole = decodeAll(bench.packets).subarray(2 * 9 * second, 2 * 10 * second);
    expect(pcm.length).toBe(whole.length);
    expect(pcm.every((value, i) => Object.is(value, whole[i]))).toBe(true);
  });

  test("the outline follows the sound, and a wide view shows the loudest of each step", async () => {
    const [recording] = await bench.archive.recordings();
    const peaks = await bench.archive.peaks(recording!.info.id);
    const fine = peaks.row(0, 12 * second, 120);
    const wide = peaks.row(0, 12 * second, 12);
    expect(Math.max(...fine.peak)).toBeGreaterThan(60);
    for (let i = 0; i < 12; i++) {
      expect(wide.peak[i]).toBe(Math.max(...fine.peak.subarray(10 * i, 10 * i + 10)));
    }
  });

  test("a clip as Ogg Opus holds the recorded packets and begins at the sample that was asked for", async () => {
    const [recording] = await bench.archive.recordings();
    const range = { start: 3 * second + 17, end: 5 * second + 100 };
    const bytes = await collect(clipPages(bench.archive.archive, recording!.info.id, range));
    const decoded = await decodeAudioBytes(bytes, {
      sampleRate: second,
      channels: 2,
      decoders: fileDecoders,
    });
    const whole = decodeAll(bench.packets).subarray(2 * range.start, 2 * range.end);
    expect(decoded.pcm.length).toBe(whole.length);
    let worst = 0;
    for (let i = 0; i < whole.length; i++) worst = Math.max(worst, Math.abs(whole[i]! - decoded.pcm[i]!));
    expect(worst).toBeLessThan(0.02);
  });

  test("a proof holds, and does not hold for another sound", async () => {
    const [recording] = await bench.archive.recordings();
    const { id } = recording!.info;
    const proof = await proveIntegrity(bench.archive, id, { start: second, end: 3 * second });
    expect(proof.exact).toBe(true);
    expect(proof.startsAt).toBe("2026-01-01T00:00:01.000Z");
    expect(await checkIntegrity(bench.archive, proof, proof.wav.sha256)).toEqual([]);
    const opus = clipPages(bench.archive.archive, id, { start: second, end: 3 * second });
    const opusSha256 = createHash("sha256")
      .update(await collect(opus))
      .digest("hex");
    expect(await checkIntegrity(bench.archive, proof, opusSha256)).toEqual([]);
    expect(
      await checkIntegrity(bench.archive, { ...proof, version: 1, opus: undefined, gaps: undefined }),
    ).toEqual([]);
    expect(await checkIntegrity(bench.archive, { ...proof, gaps: [{ at: 5 }] })).toEqual([
      "The gaps differ from the archive's.",
    ]);
    expect(await checkIntegrity(bench.archive, { ...proof, from: second + 1 })).not.toEqual([]);
    expect(await checkIntegrity(bench.archive, proof, "0".repeat(64))).toHaveLength(1);
    await expect(checkIntegrity(bench.archive, { format: "else" })).rejects.toMatchObject({
      code: "station/bad-proof",
    });
  });
});

test("a recording that was asked for before its first second is there after it", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(0.1);
  expect(await bench.archive.recordings()).toEqual([]);
  await bench.play(2);
  expect(await bench.archive.recordings()).toHaveLength(1);
});

test("a clean restart goes on in the same recording and marks the gap", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(3);
  await bench.recorder.close();
  bench.skip(7);
  await bench.open();
  await bench.play(2);
  await bench.recorder.close();
  const recordings = await bench.archive.recordings();
  expect(recordings).toHaveLength(1);
  const { info, spans } = recordings[0]!;
  expect(info.packets).toBe(250);
  expect(spans).toHaveLength(2);
  expect(spans[1]!.startMs - spans[0]!.startMs).toBe(10_000);
  const continued = bench.events.find((event) => event.type === "archive.continued");
  expect(continued).toMatchObject({ gapMs: 7007 });
  expect((await bench.archive.archive.verify(info.id, "decode")).findings).toEqual([]);
});

test("after a crash everything that was published is there, and the recording goes on", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(5);
  // The process is gone: nobody closes anything.
  await bench.open();
  await bench.play(2);
  await bench.recorder.close();
  const [recording] = await bench.archive.recordings();
  expect(recording!.info.frames).toBeGreaterThan(6 * second);
  expect(recording!.spans).toHaveLength(2);
  expect((await bench.archive.archive.verify(recording!.info.id, "decode")).findings).toEqual([]);
});

test("killed between a chunk and its metadata, the recording is whole and its hash fits", async () => {
  const store = new FullStore();
  store.keys = /zarr\.json$/;
  const bench = new Bench(store);
  await bench.open();
  await bench.play(3.5);
  store.broken = true;
  await bench.play(1.2);
  store.broken = false;
  await bench.open();
  await bench.play(1);
  await bench.recorder.close();
  const [recording] = await bench.archive.recordings();
  expect(recording!.spans).toHaveLength(2);
  expect((await bench.archive.archive.verify(recording!.info.id, "decode")).findings).toEqual([]);
});

test("lost packets stay lost, at their place, and the length is kept", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(3, (block) => block === 60 || block === 61);
  await bench.recorder.close();
  const [recording] = await bench.archive.recordings();
  expect(recording!.info.counts.lost).toBe(2);
  expect(recording!.info.frames).toBe(150 * 960 - 312);
});

test("a full disk stops the recording, not the station; it goes on when there is room, with a gap", async () => {
  const store = new FullStore();
  const bench = new Bench(store);
  await bench.open();
  await bench.play(3);
  store.broken = true;
  await bench.play(4);
  expect(bench.events.filter((event) => event.type === "archive.failed")).toHaveLength(1);
  expect(bench.recorder.droppedBlocks).toBeGreaterThan(100);
  store.broken = false;
  await bench.play(10);
  await bench.recorder.close();
  expect(bench.events.some((event) => event.type === "archive.recovered")).toBe(true);
  const [recording] = await bench.archive.recordings();
  expect(recording!.spans).toHaveLength(2);
  expect((await bench.archive.archive.verify(recording!.info.id, "decode")).findings).toEqual([]);
});

test("a real disk that is full is said with what to do, and the recording goes on when there is room", async (context) => {
  const disk = mkdtempSync(join(tmpdir(), "longwave-small-disk-"));
  const isMounted =
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "longwave-test", disk], { stdio: "ignore" })
      .status === 0;
  try {
    context.skip(!isMounted, "a small disk cannot be mounted without the right to");
    const bench = new Bench(new DirectoryStore(join(disk, "archive")));
    await bench.open();
    await bench.play(3);
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, "somebody-elses"), new Uint8Array((bavail - 1) * bsize));
    await bench.play(6);
    const failures = bench.events.filter((event) => event.type === "archive.failed");
    expect(failures).toMatchObject([{ reason: expect.stringContaining("the disk is full; make room") }]);
    expect(bench.recorder.failure).toContain("the disk is full");
    // What was recorded before can be listened to.
    const before = await bench.archive.recordings();
    expect(before).toHaveLength(1);
    const { pcm } = await bench.archive.archive.read(before[0]!.info.id, { from: 0, to: second });
    expect(pcm.some((value) => Math.abs(value) > 0.01)).toBe(true);

    rmSync(join(disk, "somebody-elses"));
    await bench.play(12);
    expect(bench.recorder.failure).toBeUndefined();
    await bench.recorder.close();
    expect(bench.events.some((event) => event.type === "archive.recovered")).toBe(true);
    const [recording, ...others] = await bench.archive.recordings();
    expect(others).toEqual([]);
    expect(recording!.spans).toHaveLength(2);
    expect((await bench.archive.archive.verify(recording!.info.id, "decode")).findings).toEqual([]);
    bench.archive.close();
  } finally {
    if (isMounted) spawnSync("umount", [disk]);
    rmdirSync(disk);
  }
});

test("a disk that is full at a restart damages nothing: the recording goes on when there is room", async () => {
  const store = new OpenFiles();
  const bench = new Bench(store);
  await bench.open();
  await bench.play(3);
  await bench.recorder.close();
  bench.skip(3);
  await bench.open();
  store.keys = /pcm/;
  store.broken = true;
  await bench.play(2);
  expect(store.open).toBe(0);
  expect(bench.events.some((event) => event.type === "archive.damaged")).toBe(false);
  expect(bench.recorder.failure).toContain("no space left");
  store.broken = false;
  await bench.play(12);
  await bench.recorder.close();
  const recordings = await bench.archive.recordings();
  expect(recordings).toHaveLength(1);
  expect((await bench.archive.archive.verify(recordings[0]!.info.id, "decode")).findings).toEqual([]);
});

test("what a killed run left of its recording is swept before it goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longwave-killed-"));
  try {
    const bench = new Bench(new DirectoryStore(folder));
    await bench.open();
    await bench.play(2);
    await bench.recorder.close();
    const [recording] = await bench.archive.recordings();
    const left = join(folder, "rec", recording!.info.id, "pcm", "c", "0", `.${process.pid}-1-0-3.tmp`);
    writeFileSync(left, "half a shard");
    bench.skip(3);
    await bench.open();
    await bench.play(1);
    expect(existsSync(left)).toBe(false);
    await bench.recorder.close();
    expect(await bench.archive.recordings()).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a recording whose lease another has taken is given up for good, and says so", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(3);
  const { info } = (await bench.archive.recordings())[0]!;
  const winner = await Archive.open(bench.store, { decoder: createSeekableDecoder });
  const writer = await winner.append(info.id, { live: true, takeOver: true });
  await bench.play(14);
  const taken = bench.events.filter((event) => event.type === "archive.taken");
  expect(taken).toMatchObject([{ recording: info.id, reason: expect.stringContaining("Another writer") }]);
  expect(bench.events.filter((event) => event.type.startsWith("archive."))).toHaveLength(2);
  expect(bench.recorder).toMatchObject({
    recording: undefined,
    failure: (taken[0] as { reason: string }).reason,
  });
  expect(bench.recorder.droppedBlocks).toBeGreaterThan(10 * 50);
  await bench.recorder.close();
  // The winner still has it.
  await writer.close();
  expect((await winner.verify(info.id, "decode")).findings).toEqual([]);
  winner.close();
});

test("a stream that another station has claimed is recorded no more", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(2);
  bench.archive.lose("studio-1", "Another station (process 9 on elsewhere) has taken it over");
  await bench.play(15);
  await bench.recorder.close();
  expect(bench.events.map(({ type }) => type)).toEqual(["archive.started", "archive.taken"]);
  expect(bench.recorder.failure).toContain("process 9 on elsewhere");
});

test("a recording that is damaged at the start is reported, left alone, and another one begins", async () => {
  const bench = new Bench();
  await bench.open();
  await bench.play(2);
  await bench.recorder.close();
  const { info } = (await bench.archive.recordings())[0]!;
  await bench.store.put(`rec/${info.id}/zarr.json`, new TextEncoder().encode("{ no json"));
  bench.skip(3);
  await bench.open();
  await bench.play(2);
  expect(bench.events).toContainEqual(
    expect.objectContaining({ type: "archive.damaged", recording: info.id }),
  );
  expect([...bench.archive.damaged.keys()]).toEqual([info.id]);
  expect(await bench.archive.recordings()).toHaveLength(1);
});

test("a new recording begins without a seam, and old ones go by policy", async () => {
  const bench = new Bench();
  await bench.open(2 * second, 3e6);
  await bench.play(9);
  const recordings = await bench.archive.recordings();
  expect(bench.events.filter((event) => event.type === "archive.removed").length).toBeGreaterThan(0);
  for (let i = 1; i < recordings.length; i++) {
    const [before, after] = [recordings[i - 1]!.spans[0]!, recordings[i]!.spans[0]!];
    const endMs = before.startMs + (before.endFrame - before.startFrame) / 48;
    expect(Math.abs(after.startMs - endMs)).toBeLessThanOrEqual(1);
  }
  // The decoder has settled at the seam: the first block sounds as if nothing had been between.
  const next = recordings.at(-1)!.info;
  const sinceNs = BigInt(next.anchors[0]!.unixNs) - 1_767_225_600_000_000_000n;
  const first = Math.round((Number(sinceNs) * 48) / 1e6);
  const { pcm } = await bench.archive.archive.read(next.id, { from: 0, to: 960 });
  const whole = decodeAll(bench.packets).subarray(2 * first);
  let worst = 0;
  for (let i = 0; i < pcm.length; i++) worst = Math.max(worst, Math.abs(pcm[i]! - whole[i]!));
  expect(worst).toBeLessThan(1e-4);
});

test("two runs leave the same bytes", async () => {
  const run = async () => {
    const bench = new Bench();
    await bench.open();
    await bench.play(3);
    await bench.recorder.close();
    return digestStore(bench.store);
  };
  const [once, again] = [await run(), await run()];
  expect(again).toEqual(once);
  expect(once.objects).toBeGreaterThan(2);
});

test("a stored outline comes back, and a damaged one is refused", () => {
  const peaks = new WaveformPeaks();
  for (let i = 0; i < 500; i++) peaks.add(i * 4800, (i % 100) / 100, 0.01);
  const bytes = peaks.encode();
  expect(WaveformPeaks.decode(bytes).row(0, 500 * 4800, 500)).toEqual(peaks.row(0, 500 * 4800, 500));
  for (const at of [0, 4, 9, 13, 40]) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    expect(() => WaveformPeaks.decode(damaged)).toThrow(/outline/);
  }
  expect(() => WaveformPeaks.decode(bytes.subarray(0, 7))).toThrow(/outline/);
});
