import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpStore, MemoryStore, type ObjectStore, S3Store } from "@longwave/base";
import { DirectoryStore, SystemClock } from "@longwave/base/node";
import {
  type FakeS3,
  listCase,
  readableObjects,
  readCases,
  startFakeS3,
  writeCases,
} from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const clock = new SystemClock();
const closers: (() => unknown)[] = [];
let fake: FakeS3;

beforeAll(async () => {
  fake = await startFakeS3({ pageSize: 2 });
});
afterAll(async () => {
  for (const close of closers) await close();
  await fake.close();
});

const s3 = (options: Partial<ConstructorParameters<typeof S3Store>[0]> = {}) =>
  new S3Store({ ...fake, prefix: randomUUID(), clock, partBytes: 10_000, ...options });

/** A real service, where the environment names one: every store gets a prefix of its own, and it is emptied. */
const real = process.env["LONGWAVE_S3_ENDPOINT"];
function realS3(): ObjectStore {
  const variable = (name: string) => process.env[`LONGWAVE_S3_${name}`] ?? "";
  const store = new S3Store({
    endpoint: real!,
    bucket: variable("BUCKET"),
    prefix: `longwave-conformance-${randomUUID()}`,
    region: variable("REGION") || "us-east-1",
    credentials: { accessKeyId: variable("ACCESS_KEY_ID"), secretAccessKey: variable("SECRET_ACCESS_KEY") },
    clock,
    partBytes: 5 * 1024 * 1024,
  });
  closers.push(async () => {
    for await (const { key } of store.list("")) await store.delete(key);
  });
  return store;
}

const stores: readonly [string, () => ObjectStore | Promise<ObjectStore>][] = [
  ["MemoryStore", () => new MemoryStore()],
  [
    "DirectoryStore",
    async () => {
      const path = await mkdtemp(join(tmpdir(), "longwave-store-"));
      closers.push(() => rm(path, { recursive: true, force: true }));
      return new DirectoryStore(path);
    },
  ],
  ["S3Store, fake service", () => s3()],
  ...(real === undefined ? [] : [["S3Store, real service", realS3] as [string, () => ObjectStore]]),
];

test.skipIf(real !== undefined)(
  "a real S3 service is tested where LONGWAVE_S3_ENDPOINT names one",
  (context) => {
    context.skip("LONGWAVE_S3_ENDPOINT is not set");
  },
);

describe.each(stores)("%s", (_name, make) => {
  test.each([...readCases, listCase].map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const store = await make();
    for (const [key, bytes] of readableObjects) await store.put(key, bytes);
    await each.run(store);
  });

  test.each(writeCases.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    await each.run(await make());
  });
});

describe("HttpStore", () => {
  test.each(readCases.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const server = createServer((request, response) => {
      const bytes = readableObjects.get(decodeURIComponent(request.url!.slice(1)));
      if (bytes === undefined) return response.writeHead(404).end();
      const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
      if (range === null) return response.setHeader("content-length", bytes.length).end(bytes);
      const [start, end] = [Number(range[1]), Math.min(bytes.length, Number(range[2]) + 1)];
      if (start >= bytes.length) return response.writeHead(416).end();
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` });
      return response.end(bytes.subarray(start, end));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => server.close());
    await each.run(new HttpStore(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
});

describe("S3Store", () => {
  test("tries again what may pass, and gives up in the end", async () => {
    const store = s3({ attempts: 3, clock: impatientClock() });
    await store.put("k", Uint8Array.of(1, 2));
    fake.failNext(503, 0);
    expect(await store.get("k")).toEqual(Uint8Array.of(1, 2));
    fake.failNext(500, 500, 500);
    await expect(store.get("k")).rejects.toMatchObject({ code: "store/failed", kind: "unavailable" });
    fake.failNext(0, 0, 0);
    await expect(store.get("k")).rejects.toMatchObject({ code: "store/failed" });
  });

  test("a conditional put is sent once: a second one could not be told from somebody else's", async () => {
    const store = s3({ clock: impatientClock() });
    const before = fake.log.length;
    fake.failNext(500);
    await expect(store.put("k", Uint8Array.of(1), { ifAbsent: true })).rejects.toMatchObject({
      code: "store/failed",
    });
    expect(fake.log.length - before).toBe(1);
  });

  test("wrong keys say so instead of showing an empty bucket; no permission to write is read-only", async () => {
    const wrong = s3({ credentials: { accessKeyId: "FAKEACCESSKEY", secretAccessKey: "wrong" } });
    await expect(wrong.get("k")).rejects.toMatchObject({
      message: expect.stringContaining("SignatureDoesNotMatch"),
    });
    const store = s3();
    fake.failNext(403);
    await expect(store.put("k", Uint8Array.of(1))).rejects.toMatchObject({ code: "store/read-only" });
    await expect(s3({ bucket: "other" }).get("k")).rejects.toMatchObject({
      message: expect.stringContaining("NoSuchBucket"),
    });
  });

  test("an aborted upload leaves nothing behind", async () => {
    const store = s3();
    const writer = await store.create("large");
    await writer.write(new Uint8Array(25_000));
    expect(fake.openUploads).toBe(1);
    await writer.abort();
    expect(fake.openUploads).toBe(0);
  });
});

/** A clock on which waiting takes no time. */
function impatientClock() {
  return {
    nowUs: () => clock.nowUs(),
    wallUs: () => clock.wallUs(),
    schedule: (_at: number, callback: () => void) => clock.schedule(0, callback),
    cancel: (handle: number) => clock.cancel(handle),
  };
}
