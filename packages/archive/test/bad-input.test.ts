import { Archive, openOggSource, type PacketItem } from "@longwave/archive";
import { openStore } from "@longwave/archive/node";
import { MemoryStore, StoreError } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { startFakeS3 } from "@longwave/testkit";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import { tonePackets } from "./tone-packets.ts";

const open = (store = new MemoryStore()) => Archive.open(store, { decoder: createSeekableDecoder });
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

async function recorded(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const archive = await open(store);
  await archive.import(await openOggSource(await tonePackets(100)), { id: "r" });
  await archive.consolidate();
  return store;
}

describe("a file that is cut off", () => {
  test("is kept up to the cut, and says so; strict refuses it and leaves nothing", async () => {
    const file = (await tonePackets(200)).slice(0, -500);
    const archive = await open();
    const { info } = await archive.import(await openOggSource(file), { id: "r" });
    expect(info.source.truncated).toBe(true);
    expect(info.frames).toBeGreaterThan(48_000);
    expect((await archive.info("r")).source.truncated).toBe(true);
    const strict = await open();
    const source = { sha256: "ab".repeat(32) };
    const refused = strict.import(await openOggSource(file), { id: "r", strict: true, source });
    await expect(refused).rejects.toMatchObject({ code: "archive/truncated", kind: "malformed" });
    const left = [];
    for await (const { key } of strict.store.list("")) left.push(key);
    expect(left).toEqual([]);
    await strict.import(await openOggSource(file), { id: "r", source });
  });
});

test("wrong options leave nothing, and the file is free again", async () => {
  const file = await tonePackets(200);
  const archive = await open();
  const source = { sha256: "cd".repeat(32) };
  for (const chunkFrames of [0, 48, -48_000]) {
    const refused = archive.import(await openOggSource(file), { id: "r", chunkFrames, source });
    await expect(refused).rejects.toMatchObject({ code: "archive/options", kind: "usage" });
  }
  const left = [];
  for await (const { key } of archive.store.list("")) left.push(key);
  expect(left).toEqual([]);
  expect((await archive.import(await openOggSource(file), { id: "r", source })).duplicate).toBe(false);
});

test("a recording whose metadata is damaged leaves the others readable, and repair leaves it alone", async () => {
  const store = await recorded();
  await store.put("rec/broken/zarr.json", bytes("{"));
  await store.put("rec/broken/pcm/c/0/0", bytes("sound"));
  const archive = await open(store);
  await expect(archive.list()).rejects.toMatchObject({ code: "archive/metadata" });
  const told: string[] = [];
  const infos = await archive.list(undefined, (id, error) => told.push(`${id} ${error.code}`));
  expect(infos.map((info) => info.id)).toEqual(["r"]);
  expect(told).toEqual(["broken archive/metadata"]);
  expect((await archive.repair()).damaged).toEqual(["broken"]);
  expect(await store.get("rec/broken/pcm/c/0/0")).toBeDefined();
});

describe("a store of a newer version, or a foreign one", () => {
  test("is refused at the root", async () => {
    const store = await recorded();
    const root = text(await store.get("zarr.json"));
    await store.put("zarr.json", bytes(root.replace('"version":1', '"version":2')));
    await expect(open(store)).rejects.toMatchObject({ code: "archive/version", kind: "unsupported" });
    const other = new MemoryStore();
    for (const root of ['{"zarr_format":3,"node_type":"group"}', "{", ""]) {
      await other.put("zarr.json", bytes(root));
      await expect(open(other)).rejects.toMatchObject({ code: "archive/metadata", kind: "malformed" });
    }
  });

  test("damaged root metadata are told, and the recordings read; consolidation mends them", async () => {
    const store = await recorded();
    const whole = await store.get("zarr.json");
    for (const damaged of ["", "{", "null", text(whole).replace("longwave_archive", "longwave_brchive")]) {
      await store.put("zarr.json", bytes(damaged));
      const told: string[] = [];
      const hooks = { log: (level: string, message: string) => told.push(`${level}: ${message}`) };
      const archive = await Archive.open(store, { decoder: createSeekableDecoder, hooks });
      expect(told).toEqual([expect.stringMatching(/^warn: zarr\.json at the root is damaged/)]);
      expect((await archive.list()).map((info) => info.id)).toEqual(["r"]);
      expect((await archive.read("r", { from: 0, to: 100 })).pcm.length).toBe(100);
      await archive.consolidate();
      expect(text(await store.get("zarr.json"))).toBe(text(whole));
    }
  });

  test("a store that cannot list gives the recordings of the last consolidation", async () => {
    const store = await recorded();
    const server = Object.assign(Object.create(store) as MemoryStore, {
      get: (key: string, range?: { start: number; end: number }) => store.get(key, range),
      // biome-ignore lint/correctness/useYield: there is nothing to list
      async *list() {
        throw new StoreError("store/cannot-list", "unavailable", "A web server cannot list.");
      },
    });
    const archive = await open(server);
    expect((await archive.list()).map((info) => info.id)).toEqual(["r"]);
    expect((await archive.list())[0]).toEqual(await archive.info("r"));
    await store.put("zarr.json", bytes("{"));
    const blind = await open(server);
    expect((await blind.info("r")).id).toBe("r");
    await expect(blind.list()).rejects.toMatchObject({ code: "archive/metadata" });
  });

  test("is refused at the recording", async () => {
    const store = await recorded();
    const key = "rec/r/zarr.json";
    const metadata = text(await store.get(key));
    const changed = async (from: string | RegExp, to: string) => {
      await store.put(key, bytes(metadata.replace(from, to)));
      return (await open(store)).read("r", { from: 0, to: 10 });
    };
    await expect(changed('"version":1', '"version":9')).rejects.toMatchObject({ code: "archive/version" });
    await expect(changed(/"channels":1/, '"channels":99')).rejects.toMatchObject({
      code: "archive/metadata",
    });
    await expect(changed(/"shardBytes":\[\d+\]/, '"shardBytes":[]')).rejects.toMatchObject({
      code: "archive/metadata",
    });
    await expect(changed(/"shardBytes":\[\d+\]/, '"shardBytes":[9007199254740991]')).rejects.toMatchObject({
      code: expect.stringMatching(/^archive\/chunk-(corrupt|missing)$/),
    });
    await expect(changed('"profile":"opus-1"', '"profile":"opus-9"')).rejects.toMatchObject({
      code: "archive/profile",
      kind: "unsupported",
    });
  });
});

test("openStore knows buckets, by the environment; without keys it says what it needs", async () => {
  const fake = await startFakeS3();
  try {
    const environment = {
      LONGWAVE_S3_ENDPOINT: fake.endpoint,
      AWS_ACCESS_KEY_ID: fake.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: fake.credentials.secretAccessKey,
    };
    const { store } = await openStore(`s3://${fake.bucket}/a/b`, { environment });
    await store.put("k", Uint8Array.of(7));
    expect(fake.log).toContain("PUT a/b/k");
    await expect(openStore("s3://bucket/x", { environment: {} })).rejects.toMatchObject({
      code: "archive/options",
    });
  } finally {
    await fake.close();
  }
});

test("a malformed packet that claims another mode counts as concealed: its mode is none that the decoder knew", async () => {
  const kind = streamKinds.find((each) => each.name === "CELT music 64k stereo")!;
  const music = await opusStream(kind, 8);
  // Hybrid, two frames, the first longer than the packet.
  const malformed: PacketItem = { type: "packet", data: Uint8Array.of(0x7e, 200, 1, 2) };
  const pointFrames = 12_000;
  const items: PacketItem[] = [];
  // In front of a packet that holds a point, once in 30 packets or more.
  let sample = 0;
  let since = 0;
  for (const item of music) {
    if (item.type === "segment") sample -= item.head.preSkip;
    else if (++since > 30 && (sample + 2 * 960 + 960) % pointFrames < 960) {
      items.push(malformed);
      sample += 2 * 960;
      since = 0;
    }
    items.push(item);
    if (item.type === "packet") sample += 960;
  }
  const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
  const form = { id: "r", chunkFrames: 96_000, pointFrames };
  await archive.import({ channels: 2, items: () => items }, form);
  expect((await archive.info("r")).counts.malformed).toBeGreaterThan(5);
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
  archive.close();
});
