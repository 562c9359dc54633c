import { Archive, ZipStore } from "@longwave/archive";
import { MemoryStore } from "@longwave/base";
import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { mixedSegment, monoHead, toyDecoder } from "./fixtures.ts";

const items = mixedSegment(1, 700);

/** An archive in a ZIP file, which nobody can write. */
async function zipped(): Promise<Archive> {
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder: toyDecoder, profile: "toy" });
  await archive.import(
    { channels: 1, items: () => items },
    { id: "r", chunkFrames: 96_000, chunksPerShard: 3 },
  );
  const files: Record<string, Uint8Array> = {};
  for await (const { key } of store.list("")) files[key] = (await store.get(key))!;
  const bytes = zipSync(files, { level: 0 });
  const read = async (start: number, end: number) => bytes.slice(start, end);
  return Archive.open(await ZipStore.open({ size: bytes.length, read }), {
    decoder: toyDecoder,
    profile: "toy",
  });
}

const source = {
  channels: 1 as const,
  items: () => [{ type: "segment" as const, head: monoHead() }, ...items],
};
const writers: readonly (readonly [string, (archive: Archive) => Promise<unknown>])[] = [
  ["import", (archive) => archive.import(source, { id: "s", source: { sha256: "ab".repeat(32) } })],
  ["import without a hash", (archive) => archive.import(source, { id: "s" })],
  ["append", (archive) => archive.append("r")],
  ["a live recording", (archive) => archive.record({ id: "s", channels: 1, live: true })],
  ["rewrite", (archive) => archive.rewrite("r")],
  ["remove", (archive) => archive.remove("r")],
  ["consolidate", (archive) => archive.consolidate()],
];

test.each(writers)(
  "%s into a store that cannot be written says so and leaves it as it was",
  async (_, write) => {
    const archive = await zipped();
    await expect(write(archive)).rejects.toMatchObject({ code: "archive/write-failed", kind: "unavailable" });
    expect((await archive.list()).map((info) => info.id)).toEqual(["r"]);
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
  },
);
