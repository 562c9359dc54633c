import { listCase, readableObjects, readCases, writeCases } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { OpfsStore } from "../src/opfs-store.ts";
import { FakeOpfsDirectory, fakeLocks } from "./fake-opfs.ts";

const open = (root = new FakeOpfsDirectory("")) =>
  OpfsStore.open({ root, locks: fakeLocks(), folder: "a/b" });

/* The same cases run on Chromium's own file system in opfs-browser.test.ts. */
describe("OpfsStore on a fake file system", () => {
  test.each([...readCases, listCase].map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const store = await open();
    for (const [key, bytes] of readableObjects) await store.put(key, bytes);
    await each.run(store);
  });

  test.each(writeCases.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    await each.run(await open());
  });

  test("two stores of one folder see each other; another folder is another store", async () => {
    const root = new FakeOpfsDirectory("");
    const [one, two] = [await open(root), await open(root)];
    const { etag } = await one.put("k", Uint8Array.of(1));
    await two.put("k", Uint8Array.of(2), { ifMatch: etag });
    await expect(one.put("k", Uint8Array.of(3), { ifMatch: etag })).rejects.toMatchObject({
      code: "store/conflict",
    });
    expect(await one.get("k")).toEqual(Uint8Array.of(2));
    const other = await OpfsStore.open({ root, locks: fakeLocks(), folder: "c" });
    expect(await other.get("k")).toBeUndefined();
  });

  test("the etag differs from every earlier one of the key, also where the bytes are the same", async () => {
    const store = await open();
    const tags = new Set<string>();
    for (let i = 0; i < 6; i++) tags.add((await store.put("k", Uint8Array.of(i % 2))).etag);
    expect(tags.size).toBe(6);
  });

  test("a write that breaks off, at any piece, leaves the old object, or none where there was none", async () => {
    for (let pieces = 0; pieces < 3; pieces++) {
      const root = new FakeOpfsDirectory("");
      const store = await open(root);
      await store.put("old", Uint8Array.of(7));
      for (const key of ["old", "new"]) {
        // The page is closed: nobody commits or aborts.
        const writer = await store.create(key);
        for (let i = 0; i < pieces; i++) await writer.write(new Uint8Array(100));
      }
      const again = await open(root);
      expect(await again.get("old")).toEqual(Uint8Array.of(7));
      expect(await again.get("new")).toBeUndefined();
      expect(await again.head("new")).toBeUndefined();
      await again.put("new", Uint8Array.of(8), { ifAbsent: true });
    }
  });

  test("a file that is replaced while it is read is read again", async () => {
    const root = new FakeOpfsDirectory("");
    const store = await open(root);
    await store.put("k", Uint8Array.of(1));
    root.failReads(2);
    expect(await store.get("k")).toEqual(Uint8Array.of(1));
    root.failReads(2);
    const { etag } = (await store.head("k"))!;
    root.failReads(2);
    await store.put("k", Uint8Array.of(2), { ifMatch: etag });
    expect(await store.get("k")).toEqual(Uint8Array.of(2));
    root.failReads(1000);
    await expect(store.get("k")).rejects.toMatchObject({ code: "store/failed" });
    await expect(store.head("k")).rejects.toMatchObject({ code: "store/failed" });
  });

  test("full storage says what to do and changes nothing; a platform without such storage is named", async () => {
    const root = new FakeOpfsDirectory("");
    const store = await open(root);
    await store.put("k", Uint8Array.of(1));
    root.quota(50);
    await expect(store.put("k", new Uint8Array(100))).rejects.toMatchObject({
      code: "store/failed",
      message: expect.stringContaining("full"),
    });
    expect(await store.get("k")).toEqual(Uint8Array.of(1));
    await expect(OpfsStore.open({})).rejects.toMatchObject({ code: "store/unsupported" });
  });
});
