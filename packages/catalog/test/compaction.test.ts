import { MemoryStore, StoreError } from "@longwave/base";
import { extract } from "@longwave/fingerprint";
import { describe, expect, test } from "vitest";
import { Catalog, verifyCatalog } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const songs = Array.from({ length: 8 }, (_, seed) => melody(200 + seed, 15));
const fingerprints = songs.map((samples) => extract("mark-v1", samples, { sampleRate }));

async function filled(store = new MemoryStore(), count = songs.length): Promise<Catalog> {
  const catalog = await Catalog.open(store);
  for (const [i, fingerprint] of fingerprints.slice(0, count).entries()) {
    await catalog.enroll({ id: `song-${i}` }, fingerprint);
  }
  return catalog;
}

const pieces = songs.map((song) => extract("mark-v1", song.slice(40_000, 80_000), { sampleRate }));

/** What the catalog answers to a piece of each song. */
async function answers(catalog: Catalog): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (const piece of pieces) {
    const { match } = await catalog.identify(piece);
    found.push(match === undefined ? undefined : `${match.track.id} ${Math.round(match.offsetMs / 100)}`);
  }
  return found;
}

/** A store that stops working before its n-th write, as a killed process does. */
class DyingStore extends MemoryStore {
  left = Number.POSITIVE_INFINITY;

  #die(): void {
    if (this.left-- <= 0) throw new StoreError("store/failed", "unavailable", "The process was killed.");
  }

  override async put(...args: Parameters<MemoryStore["put"]>) {
    this.#die();
    return super.put(...args);
  }

  override async delete(key: string) {
    this.#die();
    return super.delete(key);
  }
}

describe("Compaction", () => {
  test("changes no answer: journal, one segment each, one segment in all", async () => {
    const store = new MemoryStore();
    const catalog = await Catalog.open(store);
    for (const [i, fingerprint] of fingerprints.entries()) {
      await catalog.enroll({ id: `song-${i}` }, fingerprint);
      if (i % 3 === 2) await catalog.compact({ merge: false });
    }
    expect(catalog.storage).toMatchObject({ segments: 2, journalEntries: 2 });
    const before = await answers(catalog);
    expect(before).toEqual(songs.map((_, i) => `song-${i} 50`));
    await catalog.compact();
    expect(catalog.storage).toMatchObject({ segments: 1, journalEntries: 0 });
    expect(await answers(catalog)).toEqual(before);
    const reopened = await Catalog.open(store, { readOnly: true });
    expect(await answers(reopened)).toEqual(before);
    expect(reopened.tracks().map(({ id }) => id)).toEqual(songs.map((_, i) => `song-${i}`));
    expect(await verifyCatalog(store)).toMatchObject({ ok: true, orphans: [], segments: 1 });
  });

  test("drops removed and replaced tracks for good", async () => {
    const store = new MemoryStore();
    const catalog = await filled(store);
    await catalog.compact();
    await catalog.remove("song-1");
    await catalog.enroll({ id: "song-2" }, fingerprints[0]!, { replace: true });
    const check = async (each: Catalog) => {
      const found = await answers(each);
      expect(found[1]).toBeUndefined();
      expect(found[2]).toBeUndefined();
      expect(found[3]).toBe("song-3 50");
      expect(each.size).toBe(7);
    };
    await check(catalog);
    await catalog.compact({ merge: false });
    await check(catalog);
    await check(await Catalog.open(store));
    await catalog.compact();
    await check(catalog);
    const report = await verifyCatalog(store);
    expect(report).toMatchObject({ ok: true, segments: 1, postings: catalog.postings });
  });

  test("killed before any of its writes, leaves the catalog as before or as after", async () => {
    const expected = await answers(await filled());
    for (let writes = 0; writes < 14; writes++) {
      const store = new DyingStore();
      const catalog = await filled(store);
      store.left = writes;
      await catalog.compact().catch(() => undefined);
      store.left = Number.POSITIVE_INFINITY;
      const reopened = await Catalog.open(store);
      expect(await answers(reopened)).toEqual(expected);
      expect((await verifyCatalog(store)).ok).toBe(true);
      await reopened.compact();
      expect((await verifyCatalog(store)).orphans).toEqual([]);
    }
  });

  test("loses no change of a writer that it overtakes", async () => {
    const store = new MemoryStore();
    const [a, b] = [await filled(store, 4), await Catalog.open(store)];
    await a.compact();
    await b.enroll({ id: "late" }, fingerprints[6]!);
    await a.enroll({ id: "later" }, fingerprints[7]!);
    const reader = await Catalog.open(store);
    expect(reader.tracks().map(({ id }) => id)).toEqual([
      "song-0",
      "song-1",
      "song-2",
      "song-3",
      "late",
      "later",
    ]);
    await b.refresh();
    expect(b.tracks()).toEqual(reader.tracks());
  });

  test("lets readers keep their snapshot while segments are replaced", async () => {
    const store = new MemoryStore();
    const writer = await filled(store);
    const reader = await Catalog.open(store, { readOnly: true });
    const before = await answers(reader);
    await writer.remove("song-5");
    await writer.compact();
    expect(await answers(reader)).toEqual(before);
    await reader.refresh();
    expect((await answers(reader))[5]).toBeUndefined();
  });

  test("answers from what is left, and says so, when a block is damaged", async () => {
    const store = new MemoryStore();
    const catalog = await filled(store);
    await catalog.compact();
    for await (const { key } of store.list("segments/")) {
      const bytes = (await store.get(key))!;
      bytes[bytes.length - 100]! ^= 1;
      await store.put(key, bytes);
    }
    const broken = await Catalog.open(store, { readOnly: true });
    const answer = await broken.identify({ samples: songs[0]!, sampleRate });
    expect(answer.partial).toBe(true);
    const report = await verifyCatalog(store);
    expect(report.ok).toBe(false);
    expect(report.problems.join()).toMatch(/block \d+ is damaged/);
  });

  test("writes a segment by itself once enough waits in the journal", async () => {
    const store = new MemoryStore();
    const catalog = await Catalog.open(store, { flushPostings: 1500 });
    for (const [i, fingerprint] of fingerprints.entries())
      await catalog.enroll({ id: `song-${i}` }, fingerprint);
    expect(catalog.storage.segments).toBeGreaterThan(1);
    expect(await answers(catalog)).toEqual(songs.map((_, i) => `song-${i} 50`));
  });
});
