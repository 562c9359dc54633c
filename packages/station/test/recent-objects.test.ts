import { MemoryStore, SeededRandom } from "@longwave/base";
import { expect, test } from "vitest";
import { RecentObjects } from "../src/archive/recent-objects.ts";

/** Counts what is read from it; fails writes when told to. */
class CountingStore extends MemoryStore {
  reads = 0;
  isBroken = false;

  override async get(...parameters: Parameters<MemoryStore["get"]>): ReturnType<MemoryStore["get"]> {
    this.reads++;
    return super.get(...parameters);
  }

  override async put(...parameters: Parameters<MemoryStore["put"]>): ReturnType<MemoryStore["put"]> {
    if (this.isBroken) throw new Error("the disk is full");
    return super.put(...parameters);
  }
}

const text = (words: string) => new TextEncoder().encode(words);

test("what was written last below a kept prefix is read from memory, everything else from the store", async () => {
  const store = new CountingStore();
  const recent = new RecentObjects(store);
  recent.keep("rec/now/");
  await recent.put("rec/now/tail/3", text("packets"));
  await recent.put("rec/other/tail/3", text("others"));
  expect(await recent.get("rec/now/tail/3")).toEqual(text("packets"));
  expect(await recent.get("rec/now/tail/3", { start: 2, end: 99 })).toEqual(text("ckets"));
  expect(store.reads).toBe(0);
  expect(await recent.get("rec/other/tail/3")).toEqual(text("others"));
  recent.release("rec/now/");
  expect(await recent.get("rec/now/tail/3")).toEqual(text("packets"));
  expect(store.reads).toBe(2);
});

test("the reader's bytes and the writer's are their own", async () => {
  const recent = new RecentObjects(new MemoryStore());
  recent.keep("rec/");
  const written = text("packets");
  await recent.put("rec/a", written);
  written.fill(0);
  (await recent.get("rec/a"))!.fill(1);
  expect(await recent.get("rec/a")).toEqual(text("packets"));
});

test("after a write that failed the store is asked, for it may hold the old object or the new one", async () => {
  const store = new CountingStore();
  const recent = new RecentObjects(store);
  recent.keep("rec/");
  await recent.put("rec/a", text("old"));
  store.isBroken = true;
  await expect(recent.put("rec/a", text("new"))).rejects.toThrow("the disk is full");
  expect(await recent.get("rec/a")).toEqual(text("old"));
  expect(store.reads).toBe(1);
});

test("memory is bounded, and any order of calls gives what the store alone would give", async () => {
  const random = new SeededRandom(3);
  const below = (most: number) => Math.floor(random.next() * most);
  const plain = new MemoryStore();
  const store = new CountingStore();
  const recent = new RecentObjects(store, 2000);
  let gets = 0;
  for (let n = 0; n < 2000; n++) {
    const key = `rec/${below(3)}/tail/${below(6)}`;
    const kind = below(8);
    if (kind < 3) {
      const bytes = Uint8Array.from({ length: below(900) }, () => below(256));
      await Promise.all([plain.put(key, bytes), recent.put(key, bytes)]);
    } else if (kind === 3) await Promise.all([plain.delete(key), recent.delete(key)]);
    else if (kind === 4) {
      if (below(2) === 0) recent.keep(`rec/${below(3)}/`);
      else recent.release(`rec/${below(3)}/`);
    } else {
      const range = below(2) === 0 ? undefined : { start: below(500), end: 500 + below(600) };
      gets++;
      expect(await recent.get(key, range)).toEqual(await plain.get(key, range));
    }
  }
  // Some come from memory, not all: 2,000 bytes hold a few objects.
  expect(store.reads).toBeGreaterThan(gets / 4);
  expect(store.reads).toBeLessThan(gets * 0.95);
});
