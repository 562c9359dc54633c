import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive } from "@longwave/archive";
import { nodeReadPool } from "@longwave/archive/node";
import { MemoryStore, type ObjectStore, S3Store, StoreError } from "@longwave/base";
import { DirectoryStore, SystemClock } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { repositoryPath, startFakeS3 } from "@longwave/testkit";
import { afterAll, describe, expect, test } from "vitest";
import { contents, mixedSegment, toyDecoder } from "./fixtures.ts";
import { tonePackets } from "./tone-packets.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-processes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const items = mixedSegment(1, 900);
const source = { channels: 1 as const, items: () => items };
const options = { source: { sha256: "ab".repeat(32) }, chunkFrames: 96_000, chunksPerShard: 3 };
const open = (store: ObjectStore) => Archive.open(store, { decoder: toyDecoder, profile: "toy" });

test("of two processes that import one file at once, one makes the recording and both know it", async () => {
  const file = join(folder, "tone.opus");
  writeFileSync(file, await tonePackets(400));
  const store = join(folder, "two");
  const main = repositoryPath("apps/cli/dist/main.js");
  const run = async () => {
    const child = spawn(process.execPath, [main, "archive", "import", store, file, "--json"]);
    let out = "";
    let error = "";
    child.stdout.on("data", (text) => (out += text));
    child.stderr.on("data", (text) => (error += text));
    const [code] = await once(child, "close");
    return { code, out, error };
  };
  const results = await Promise.all([run(), run()]);
  const done = results.filter((each) => each.code === 0);
  expect(done.length).toBeGreaterThanOrEqual(1);
  // The loser either came late (duplicate) or is told who is at it.
  for (const each of results) if (each.code !== 0) expect(each.error).toContain("archive/duplicate");
  const archive = await Archive.open(new DirectoryStore(store), { decoder: createSeekableDecoder });
  const list = await archive.list();
  expect(list).toHaveLength(1);
  expect((await archive.verify(list[0]!.id, "decode")).findings).toEqual([]);
});

describe("a store that fails", () => {
  /** Fails every write from the n-th on, as a full disk or lost permissions do. */
  class FailingStore extends MemoryStore {
    left = Number.POSITIVE_INFINITY;
    error = new StoreError("store/failed", "unavailable", "The store failed: the disk is full.");
    override async put(...parameters: Parameters<MemoryStore["put"]>): ReturnType<MemoryStore["put"]> {
      if (this.left-- <= 0) throw this.error;
      return super.put(...parameters);
    }
  }

  test("at any write: a typed error, what was there stays, and once there is room a resume gives the same store", async () => {
    const whole = new FailingStore();
    await (await open(whole)).import(source, { ...options, id: "r" });
    const expected = await contents(whole);
    for (let left = 0; left < 12; left++) {
      const store = new FailingStore();
      store.left = left;
      const archive = await open(store);
      await expect(archive.import(source, { ...options, id: "r" })).rejects.toMatchObject({
        code: "archive/write-failed",
        kind: "unavailable",
        message: expect.stringContaining("the disk is full"),
      });
      expect(await archive.list()).toEqual([]);
      store.left = Number.POSITIVE_INFINITY;
      await archive.import(source, { ...options, id: "r", resume: true });
      expect(await contents(store)).toEqual(expected);
    }
  });

  test("a read-only directory says so and stays as it was", async () => {
    if (process.getuid?.() === 0) {
      // Nothing is read-only to root: a file where a folder should be refuses writes to anybody.
      const path = join(folder, "blocked");
      writeFileSync(path, "a file");
      const archive = await open(new DirectoryStore(join(path, "store")));
      await expect(archive.import(source, { ...options, id: "r" })).rejects.toMatchObject({
        code: "archive/write-failed",
      });
    }
  });

  test.skipIf(!existsSync("/bin/bash"))(
    "a real limit on the size of files (RLIMIT_FSIZE) leaves the older recording whole",
    async () => {
      const small = join(folder, "small.opus");
      const large = join(folder, "large.opus");
      writeFileSync(small, await tonePackets(50));
      writeFileSync(large, await tonePackets(1500, 2));
      const store = join(folder, "limited");
      const main = repositoryPath("apps/cli/dist/main.js");
      expect(spawnSync(process.execPath, [main, "archive", "import", store, small]).status).toBe(0);
      const before = await contents(new DirectoryStore(store));
      // 32 blocks of 1 KiB: metadata fits, the shard does not.
      const script = `trap '' XFSZ; ulimit -f 32; exec "$0" "$@"`;
      const run = spawnSync("/bin/bash", [
        "-c",
        script,
        process.execPath,
        main,
        "archive",
        "import",
        store,
        large,
      ]);
      expect([run.status, run.stderr.toString()]).toEqual([
        5,
        expect.stringContaining("archive/write-failed"),
      ]);
      const archive = await Archive.open(new DirectoryStore(store), { decoder: createSeekableDecoder });
      expect(await archive.list()).toHaveLength(1);
      const left = readdirSync(store, { recursive: true }).filter((name) => String(name).endsWith(".tmp"));
      expect(left).toEqual([]);
      await archive.repair({ dropParts: true });
      expect(await contents(new DirectoryStore(store))).toEqual(before);
    },
  );
});

describe("leases", () => {
  test("a second writer is refused until the first one is done, gives up, or is taken over", async () => {
    const store = new MemoryStore();
    const archive = await open(store);
    const first = await archive.record({ id: "live", channels: 1, live: true, ...options });
    for (const item of items) await first.push(item);
    await expect((await open(store)).append("live")).rejects.toMatchObject({ code: "archive/lease" });
    const second = await (await open(store)).append("live", { takeOver: true });
    const late = async () => {
      for (const item of items) if (item.type !== "segment") await first.push(item);
      await first.close();
    };
    await expect(late()).rejects.toMatchObject({ code: "archive/lease" });
    for (const item of mixedSegment(2, 200)) await second.push(item);
    const info = await second.close();
    expect((await archive.verify("live", "structure")).findings).toEqual([]);
    expect(info.segments).toHaveLength(2);
  });
});

test("an archive in a bucket: parts of an upload, conditional puts, lists by pages", async () => {
  const fake = await startFakeS3({ pageSize: 3 });
  try {
    const credentials = { ...fake.credentials };
    const bucket = { endpoint: fake.endpoint, bucket: fake.bucket, credentials, clock: new SystemClock() };
    const store = new S3Store({ ...bucket, prefix: "radio", partBytes: 6000 });
    const archive = await open(store);
    await archive.import(source, { ...options, id: "r" });
    const memory = new MemoryStore();
    await (await open(memory)).import(source, { ...options, id: "r" });
    expect(await contents(store)).toEqual(await contents(memory));
    expect(fake.openUploads).toBe(0);
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
    expect(await archive.import(source, { ...options, id: "x" })).toMatchObject({ duplicate: true });
    await archive.remove("r");
    expect(await archive.list()).toEqual([]);
  } finally {
    await fake.close();
  }
});

describe("nodeReadPool", () => {
  test("reads in worker threads what the main thread reads, in order; errors keep their codes", async () => {
    const path = join(folder, "pool");
    const file = join(folder, "pool.opus");
    writeFileSync(file, await tonePackets(600, 3));
    const { openAudioInput } = await import("@longwave/archive/node");
    const archive = await Archive.open(new DirectoryStore(path), { decoder: createSeekableDecoder });
    const { info } = await archive.import(await (await openAudioInput(file)).open(), { id: "r" });
    const decoderModule = new URL(`file://${repositoryPath("packages/opus/dist/index.js")}`).href;
    const pool = nodeReadPool({ store: path, decoderModule, workers: 2 });
    try {
      const requests = Array.from({ length: 12 }, (_, i) => ({
        id: "r",
        from: i * 40_000,
        to: i * 40_000 + 5000,
      }));
      let at = 0;
      for await (const clip of pool.readMany(requests, { maxBytes: 100_000 })) {
        const { from, to } = requests[at++]!;
        expect(clip.start).toBe(from);
        const here = await archive.read("r", { from, to });
        expect(Buffer.compare(Buffer.from(clip.pcm.buffer), Buffer.from(here.pcm.buffer))).toBe(0);
      }
      expect(at).toBe(12);
      await expect(pool.read("r", { from: 0, to: info.frames + 1 })).rejects.toMatchObject({
        code: "archive/range",
        kind: "usage",
      });
    } finally {
      pool.close();
    }
    await expect(pool.read("r", { from: 0, to: 1 })).rejects.toMatchObject({ code: "archive/closed" });
  });
});
