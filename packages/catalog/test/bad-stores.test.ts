import { mkdtempSync, rmSync } from "node:fs";
import { appendFile, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32c, MemoryStore, type ObjectStore } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { extract } from "@longwave/fingerprint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Catalog, HttpStore, verifyCatalog } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const songs = Array.from({ length: 6 }, (_, seed) => melody(700 + seed, 8));
const fingerprints = songs.map((samples) => extract("mark-v1", samples, { sampleRate }));
const piece = (i: number) => extract("mark-v1", songs[i]!.slice(16_000, 48_000), { sampleRate });

/** A catalog of two segments, the last track in the journal. */
async function made(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const catalog = await Catalog.open(store);
  for (const [i, fingerprint] of fingerprints.slice(0, 4).entries()) {
    await catalog.enroll({ id: `song-${i}` }, fingerprint);
    if (i % 2 === 1) await catalog.compact({ merge: false });
  }
  await catalog.enroll({ id: "song-4" }, fingerprints[4]!);
  return store;
}

async function objectsOf(store: ObjectStore): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const { key } of store.list("")) found.set(key, (await store.get(key))!);
  return found;
}

const home = mkdtempSync(join(tmpdir(), "longwave-bad-stores-"));
let folders = 0;
let server: Server;
/** What the web server has. */
let published = new Map<string, Uint8Array>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const bytes = published.get(decodeURIComponent(request.url!.slice(1)));
    if (bytes === undefined) return void response.writeHead(404).end();
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      "content-length": part.length,
      etag: `"${crc32c(bytes, 0, bytes.length)}"`,
      ...(from !== undefined && { "content-range": `bytes ${from}-${to}/${bytes.length}` }),
    });
    response.end(request.method === "HEAD" ? undefined : part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await new Promise((resolve) => server.close(resolve));
});

/** The objects, in a store of each kind that a catalog is read from. */
const kinds: [string, (objects: Map<string, Uint8Array>) => Promise<ObjectStore>][] = [
  [
    "memory",
    async (objects) => {
      const store = new MemoryStore();
      for (const [key, bytes] of objects) await store.put(key, bytes);
      return store;
    },
  ],
  [
    "a directory",
    async (objects) => {
      const folder = join(home, `${folders++}`);
      for (const [key, bytes] of objects) {
        await mkdir(dirname(join(folder, key)), { recursive: true });
        await writeFile(join(folder, key), bytes);
      }
      return new DirectoryStore(folder);
    },
  ],
  [
    "a web server",
    async (objects) => {
      published = objects;
      return new HttpStore(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    },
  ],
];

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "opened",
    (error) => error.code as string,
  );

describe.each(kinds)("in %s", (name, storeOf) => {
  const readOnly = { readOnly: true };
  /** A catalog on a web server is compacted: it cannot list a journal. */
  const objects = async () => {
    const store = await made();
    if (name === "a web server") await (await Catalog.open(store)).compact({ merge: false });
    return objectsOf(store);
  };

  test("newer formats of every object are refused as such", async () => {
    const all = await objects();
    for (const [key, bytes] of all) {
      const newer = bytes.slice();
      if (key === "manifest.json") {
        const text = new TextDecoder().decode(bytes).replace('"version":1', '"version":9');
        newer.set(new TextEncoder().encode(text));
      } else newer[4] = 9;
      const store = await storeOf(new Map([...all, [key, newer]]));
      expect(await codeOf(Catalog.open(store, readOnly)), key).toBe("catalog/version");
    }
    expect(all.size).toBeGreaterThanOrEqual(4);
  });

  test("an object that is gone is named, unless it is all that there is", async () => {
    const all = await objects();
    for (const key of [...all.keys()].filter((each) => each.startsWith("segments/"))) {
      const store = await storeOf(new Map([...all].filter(([each]) => each !== key)));
      const opening = Catalog.open(store, readOnly);
      await expect(opening, key).rejects.toMatchObject({
        code: "catalog/missing",
        message: expect.stringContaining(key),
      });
    }
    const none = await storeOf(new Map());
    expect(await codeOf(Catalog.open(none, readOnly))).toBe("catalog/missing");
  });

  test("a damaged block costs its tracks only, and the answer says so", async () => {
    const all = await objects();
    const [key, bytes] = [...all].find(([each]) => each.startsWith("segments/"))!;
    const broken = bytes.slice();
    broken[broken.length - 60]! ^= 4;
    const catalog = await Catalog.open(await storeOf(new Map([...all, [key, broken]])), readOnly);
    const found = new Map<string, boolean>();
    for (let i = 0; i < 5; i++) {
      const { match, partial } = await catalog.identify(piece(i));
      expect(match === undefined || match.track.id === `song-${i}`).toBe(true);
      if (match !== undefined) found.set(match.track.id, partial);
    }
    // The two tracks of the other segment, and what is in the journal or in the third.
    expect(found.size).toBeGreaterThanOrEqual(3);
    expect([...found.values()]).toContain(true);
  });
});

test("killed at any byte of any write, a directory opens as before, and is swept when it is written again", async () => {
  const before = await made();
  const after = await made();
  const writer = await Catalog.open(after);
  await writer.enroll({ id: "song-5" }, fingerprints[5]!);
  const journal = await objectsOf(after);
  await writer.compact({ merge: false });
  // What the two changes write, one object after the other.
  const known = await objectsOf(before);
  const writes = [...journal, ...(await objectsOf(after))].filter(
    ([key, bytes]) => !(known.has(key) && Buffer.from(bytes).equals(known.get(key)!)),
  );
  expect(writes.map(([key]) => key.replace(/[0-9a-f]{32}/, "*"))).toEqual([
    "journal/000000000006",
    "manifest.json",
    "segments/*.lwsg",
  ]);
  const expected = (await Catalog.open(before)).tracks();
  const dead = 2 ** 22 + 1;
  const long = new Date(Date.now() - 600_000);
  for (const [key, bytes] of writes) {
    for (const length of [0, 1, Math.floor(bytes.length / 2), bytes.length - 1, bytes.length]) {
      const store = (await kinds[1]![1](known)) as DirectoryStore;
      // The bytes go to a file beside the object, which takes its place only when they are all there.
      const left = join(store.directory, dirname(key), `.${dead}-0-3.tmp`);
      await appendFile(left, bytes.subarray(0, length));
      await utimes(left, long, long);
      const reader = await Catalog.open(store, { readOnly: true });
      expect(reader.tracks()).toEqual(expected);
      expect((await verifyCatalog(store)).ok).toBe(true);
      const next = await Catalog.open(store);
      expect(next.tracks()).toEqual(expected);
      const names = await readdir(store.directory, { recursive: true });
      expect(names.filter((each) => each.endsWith(".tmp"))).toEqual([]);
      await next.enroll({ id: "song-5" }, fingerprints[5]!);
      expect((await Catalog.open(store)).size).toBe(6);
    }
  }
});

test("opened twice for writing, a directory loses no change of either, whatever one compacts meanwhile", async () => {
  const folder = join(home, "twice");
  const catalogs = await Promise.all([0, 1].map(() => Catalog.open(new DirectoryStore(folder))));
  await catalogs[0]!.enroll({ id: "first" }, fingerprints[0]!);
  await Promise.all([
    ...[0, 1, 2, 3, 4, 5].map((i) =>
      catalogs[i % 2]!.enroll({ id: `t${i}` }, fingerprints[i]!).then(async () => {
        if (i === 2) await catalogs[0]!.compact();
      }),
    ),
  ]);
  const reader = await Catalog.open(new DirectoryStore(folder), { readOnly: true });
  expect(
    reader
      .tracks()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(["first", "t0", "t1", "t2", "t3", "t4", "t5"]);
  expect((await verifyCatalog(new DirectoryStore(folder))).ok).toBe(true);
});

test("loses its turn to another writer twenty times in a row, and comes through", async () => {
  const inner = new MemoryStore();
  const other = await Catalog.open(inner);
  await other.enroll({ id: "first" }, fingerprints[0]!);
  let lost = 0;
  const contended: ObjectStore = {
    head: (key) => inner.head(key),
    get: (key, range) => inner.get(key, range),
    list: (prefix) => inner.list(prefix),
    delete: (key) => inner.delete(key),
    put: async (key, bytes, condition) => {
      // Just before each of the first puts the other writer takes the number.
      if (key.startsWith("journal/") && lost < 20)
        await other.enroll({ id: `other-${lost++}` }, fingerprints[1]!);
      return inner.put(key, bytes, condition);
    },
  };
  const slow = await Catalog.open(contended);
  await slow.enroll({ id: "slow" }, fingerprints[2]!);
  expect(lost).toBe(20);
  expect((await Catalog.open(inner, { readOnly: true })).size).toBe(22);
});
