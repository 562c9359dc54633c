import { ZipStore } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { listCase, readableObjects, readCases } from "@longwave/testkit";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";

const text = (value: string) => new TextEncoder().encode(value);
const files = {
  "zarr.json": [text("{}"), { level: 0 }],
  "rec/a/pcm/c/0/0": [Uint8Array.from({ length: 5000 }, (_, i) => i % 251), { level: 0 }],
  "rec/a/zarr.json": [text("x".repeat(3000)), { level: 9 }],
} as const;
const zip = zipSync(files as never);
const access = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: async (a: number, b: number) => bytes.slice(a, b),
});

describe("ZipStore", () => {
  test.each([...readCases, listCase].map((each) => [each.name, each] as const))("%s", async (_, each) => {
    await each.run(await ZipStore.open(access(zipSync(Object.fromEntries(readableObjects)))));
  });

  test("reads stored and deflated entries whole and in part, and lists them", async () => {
    const store = await ZipStore.open(access(zip));
    for (const [key, [content]] of Object.entries(files)) {
      expect(await store.get(key)).toEqual(content);
      expect(await store.get(key, { start: 1, end: 100 })).toEqual(content.slice(1, 100));
      expect((await store.head(key))?.size).toBe(content.length);
    }
    const keys = [];
    for await (const info of store.list("rec/")) keys.push(info.key);
    expect(keys).toEqual(["rec/a/pcm/c/0/0", "rec/a/zarr.json"]);
    expect(await store.get("nothing")).toBeUndefined();
  });

  test("a damaged file gives a typed error or what can be read, never anything else", async () => {
    const random = new SeededRandom(5);
    for (let round = 0; round < 2000; round++) {
      const bytes = zip.slice(0, random.below(4) === 0 ? random.below(zip.length) : zip.length);
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      try {
        const store = await ZipStore.open(access(bytes));
        for (const key of Object.keys(files)) await store.get(key);
      } catch (error) {
        expect(error).toMatchObject({ kind: expect.stringMatching(/malformed|unsupported|limit|usage/) });
      }
    }
  });
});
