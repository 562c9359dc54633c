import { Archive, openOpusSource, type PacketItem, webmPieces } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { expect, test } from "vitest";
import * as zarr from "zarrita";
import { contents, monoHead, toyDecoder, toyPacket } from "./fixtures.ts";

const random = new SeededRandom(4);
const items: PacketItem[] = [
  { type: "segment", head: monoHead() },
  ...Array.from({ length: 400 }, () => toyPacket(random)),
];
/** Longer than one Zarr chunk of it. */
const file = Uint8Array.from({ length: 4_194_304 + 1234 }, (_, i) => (i * 7 + (i >> 9)) & 255);

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += 100_000) yield file.subarray(at, at + 100_000);
}

async function joined(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return new Uint8Array(Buffer.concat(all));
}

async function imported(store = new MemoryStore()) {
  const archive = await Archive.open(store, { decoder: toyDecoder, profile: "toy" });
  const source = { channels: 1 as const, items: () => items };
  await archive.import(source, { id: "r", original: pieces, source: { sha256: "ab".repeat(32) } });
  return { archive, store };
}

test("a kept original comes back byte for byte, also through a stock Zarr reader and after a rewrite", async () => {
  const { archive, store } = await imported();
  expect(Buffer.compare(await joined(archive.original("r")), file)).toBe(0);
  expect((await archive.info("r")).source.original?.bytes).toBe(file.length);
  const map = new Map<string, Uint8Array>();
  for await (const { key } of store.list("rec/r/original/")) map.set(`/${key}`, (await store.get(key))!);
  const array = await zarr.open.v3(zarr.root(map as never).resolve("rec/r/original"), { kind: "array" });
  const { data } = await zarr.get(array, [zarr.slice(4_194_300, 4_194_310)]);
  expect([...(data as Uint8Array)]).toEqual([...file.subarray(4_194_300, 4_194_310)]);
  await archive.rewrite("r");
  expect(Buffer.compare(await joined(archive.original("r")), file)).toBe(0);
  await archive.remove("r");
  expect([...(await contents(store)).keys()]).toEqual([]);
});

test("damage of the original is found by verify and by whoever reads it, and hurts nothing else", async () => {
  const { archive, store } = await imported();
  const key = "rec/r/original/c/0";
  const bytes = (await store.get(key))!;
  bytes[77_777]! ^= 4;
  await store.put(key, bytes);
  await expect(joined(archive.original("r"))).rejects.toMatchObject({ code: "archive/chunk-corrupt" });
  const { findings } = await archive.verify("r", "hashes");
  expect(findings.map((each) => each.code)).toEqual(["archive/chunk-corrupt"]);
  expect((await archive.read("r", { from: 0, to: 1000 })).pcm.length).toBe(1000);
  await store.delete("rec/r/original/c/1");
  await expect(joined(archive.original("r"))).rejects.toMatchObject({ code: "archive/chunk-missing" });
});

test("an original that was not kept cannot be had", async () => {
  const archive = await Archive.open(new MemoryStore(), { decoder: toyDecoder, profile: "toy" });
  await archive.import({ channels: 1, items: () => items }, { id: "r" });
  await expect(joined(archive.original("r"))).rejects.toMatchObject({ code: "archive/not-found" });
});

test("a recording comes back from WebM with the same packets and length; losses stay losses", async () => {
  const mixed: PacketItem[] = items.map((item, i): PacketItem => {
    if (i === 100) return { type: "loss", frames: 1920 };
    return i === items.length - 1 && item.type === "packet" ? { ...item, trimEnd: 333 } : item;
  });
  const archive = await Archive.open(new MemoryStore(), { decoder: toyDecoder, profile: "toy" });
  const { info } = await archive.import({ channels: 1, items: () => mixed }, { id: "a" });
  const webm = await joined(webmPieces(info, archive.packets("a")));
  const again = await Archive.open(new MemoryStore(), { decoder: toyDecoder, profile: "toy" });
  const { info: back } = await again.import(await openOpusSource(webm), { id: "b" });
  expect(back).toMatchObject({
    frames: info.frames,
    packets: info.packets,
    packetsSha256: info.packetsSha256,
  });
});

test("WebM refuses a recording of several segments", async () => {
  const archive = await Archive.open(new MemoryStore(), { decoder: toyDecoder, profile: "toy" });
  const { info } = await archive.import({ channels: 1, items: () => [...items, ...items] }, { id: "a" });
  const refused = joined(webmPieces(info, archive.packets("a")));
  await expect(refused).rejects.toMatchObject({ code: "archive/no-export", kind: "unsupported" });
});
