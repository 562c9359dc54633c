import { MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { createStream, type Fingerprint } from "@longwave/fingerprint";
import { expect, test } from "vitest";
import { tidy } from "../src/id/tidy.ts";

const { configHash } = createStream("wang-v1");
const fingerprint = (hash: number): Fingerprint => ({
  profile: "wang-v1",
  configHash,
  sampleRate: 8000,
  hopSize: 128,
  sourceLength: 8000,
  recordWords: 2,
  records: Uint32Array.of(hash, 1),
});

test("changes become a segment when there are enough of them, and many segments become one", async () => {
  const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  const seen: number[] = [];
  for (let i = 0; i < 40; i++) {
    await catalog.enroll({ id: `t${i}` }, fingerprint(i));
    await tidy(catalog, 3);
    expect(catalog.storage.journalEntries).toBeLessThanOrEqual(3);
    seen.push(catalog.storage.segments);
  }
  // Every fourth change: eight segments, the ninth time they become one, and so on.
  expect(seen.filter((_, i) => i % 4 === 3)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 1, 2]);
  expect(catalog.size).toBe(40);
});
