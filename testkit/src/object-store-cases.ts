import assert from "node:assert/strict";
import { createObject, type ObjectStore } from "@longwave/base";

/** One thing that every object store must do. */
export interface StoreCase {
  readonly name: string;
  run(store: ObjectStore): Promise<void>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes);

async function keys(store: ObjectStore, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

/** What a store must hold for the cases of reading. */
export const readableObjects: ReadonlyMap<string, Uint8Array> = new Map([
  ["a/b/c.bin", bytesOf("0123456789")],
  ["a/space and (brackets)!.bin", bytesOf("odd")],
  ["empty", bytesOf("")],
  ["rec/one/zarr.json", bytesOf("{}")],
]);

/** Cases for any store that holds exactly `readableObjects`, read-only ones included. */
export const readCases: readonly StoreCase[] = [
  {
    name: "reads whole objects and ranges that are cut at the end",
    async run(store) {
      for (const [key, bytes] of readableObjects) {
        assert.deepEqual(new Uint8Array((await store.get(key))!), new Uint8Array(bytes), key);
      }
      const range = async (start: number, end: number) =>
        textOf(await store.get("a/b/c.bin", { start, end }));
      assert.equal(await range(3, 5), "34");
      assert.equal(await range(0, 10), "0123456789");
      assert.equal(await range(8, 99), "89");
      assert.equal(await range(50, 60), "");
      assert.equal(await range(4, 4), "");
    },
  },
  {
    name: "tells size and a constant etag",
    async run(store) {
      const info = await store.head("a/b/c.bin");
      assert.equal(info?.size, 10);
      assert.equal(info?.key, "a/b/c.bin");
      assert.deepEqual(await store.head("a/b/c.bin"), info);
    },
  },
  {
    name: "an absent object is undefined",
    async run(store) {
      for (const key of ["nothing", "a/b", "a/b/c.bin/d"]) {
        assert.equal(await store.get(key), undefined, key);
        assert.equal(await store.head(key), undefined, key);
        assert.equal(await store.get(key, { start: 0, end: 4 }), undefined, key);
      }
    },
  },
  {
    name: "refuses what is no key",
    async run(store) {
      for (const key of ["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "a\nb", "x".repeat(1025)]) {
        for (const call of [() => store.get(key), () => store.head(key)]) {
          await assert.rejects(call, { code: "store/bad-key" }, JSON.stringify(key));
        }
      }
    },
  },
];

/** The case of listing, for stores that can, holding exactly `readableObjects`. */
export const listCase: StoreCase = {
  name: "lists by prefix, in order of the keys",
  async run(store) {
    assert.deepEqual(await keys(store), [...readableObjects.keys()].sort());
    assert.deepEqual(await keys(store, "a/b"), ["a/b/c.bin"]);
    assert.deepEqual(await keys(store, "zzz"), []);
  },
};

/** Cases for empty stores that can be written. */
export const writeCases: readonly StoreCase[] = [
  {
    name: "gives back what was put, and keeps a copy",
    async run(store) {
      const buffer = Buffer.from("before");
      const info = await store.put("k", buffer);
      buffer.fill(0);
      (await store.get("k"))!.fill(1);
      assert.equal(textOf(await store.get("k")), "before");
      assert.deepEqual(await store.head("k"), info);
      await store.put("k", bytesOf("after"));
      assert.equal(textOf(await store.get("k")), "after");
    },
  },
  {
    name: "deletes, also what is absent",
    async run(store) {
      await store.put("there/is", bytesOf("x"));
      await store.delete("nothing");
      await store.delete("there/is");
      assert.deepEqual(await keys(store), []);
    },
  },
  {
    name: "lists many in order of the keys",
    async run(store) {
      for (const key of ["b", "a/2", "a/10", "a.b", "ab/c"]) await store.put(key, bytesOf(key));
      assert.deepEqual(await keys(store), ["a.b", "a/10", "a/2", "ab/c", "b"]);
      assert.deepEqual(await keys(store, "a/"), ["a/10", "a/2"]);
    },
  },
  {
    name: "a conditional put holds to its condition and changes nothing otherwise",
    async run(store) {
      const conflict = { code: "store/conflict" };
      const first = await store.put("k", bytesOf("one"), { ifAbsent: true });
      await assert.rejects(store.put("k", bytesOf("two"), { ifAbsent: true }), conflict);
      const second = await store.put("k", bytesOf("two"), { ifMatch: first.etag });
      assert.notEqual(second.etag, first.etag);
      await assert.rejects(store.put("k", bytesOf("six"), { ifMatch: first.etag }), conflict);
      await assert.rejects(store.put("new", bytesOf("x"), { ifMatch: first.etag }), conflict);
      assert.equal(textOf(await store.get("k")), "two");
      assert.deepEqual(await keys(store), ["k"]);
    },
  },
  {
    name: "of many that put an absent object at once, one succeeds",
    async run(store) {
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) => store.put("k", bytesOf(String(i)), { ifAbsent: true })),
      );
      const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [String(i)] : []));
      assert.equal(winners.length, 1);
      assert.equal(textOf(await store.get("k")), winners[0]);
    },
  },
  {
    name: "an object written in pieces appears at once with its commit, or never",
    async run(store) {
      await store.put("a/large", bytesOf("old"));
      const writer = await createObject(store, "a/large");
      const expected: number[] = [];
      for (let i = 0; i < 40; i++) {
        const piece = Uint8Array.from({ length: 997 }, (_, j) => (i * 31 + j) & 255);
        expected.push(...piece);
        await writer.write(piece);
        piece.fill(0);
      }
      assert.equal(textOf(await store.get("a/large")), "old");
      assert.deepEqual(await keys(store), ["a/large"]);
      const info = await writer.commit();
      assert.equal(info.size, expected.length);
      assert.equal((await store.head("a/large"))?.etag, info.etag);
      assert.deepEqual([...(await store.get("a/large"))!], expected);
      const given = await createObject(store, "b");
      await given.write(new Uint8Array(20_000));
      await given.abort();
      assert.deepEqual(await keys(store), ["a/large"]);
    },
  },
];
