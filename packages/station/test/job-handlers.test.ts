import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive } from "@longwave/archive";
import { newUlid } from "@longwave/archive/node";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { encodeWav } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Job } from "../src/jobs/index.ts";
import { enrollHandler, importHandler, jobRequestOf } from "../src/node/jobs/index.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-handlers-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A job of a file of noisy notes, begun for the n-th time. */
async function jobOf(kind: Job["kind"], name: string, attempts = 1): Promise<Job> {
  const random = new SeededRandom(7);
  const sound = Float32Array.from(
    { length: 24_000 },
    (_, i) => 0.3 * Math.sin((i * (1 + (i >> 11))) / 20) + 0.02 * random.next(),
  );
  const path = join(folder, name);
  writeFileSync(path, encodeWav(sound, { sampleRate: 8000, channels: 1, encoding: "s16" }));
  const request = await jobRequestOf({ path, id: name, title: name }, { kind, lossy: kind === "import" });
  return { ...request, state: "running", attempts, addedAtMs: 0 };
}
const never = new AbortController().signal;
const openArchive = (store: MemoryStore) =>
  Archive.open(store, { decoder: createSeekableDecoder, newId: newUlid });

test("the same content is one import under every name, and one enrollment for each track", async () => {
  const [a, b] = [await jobOf("import", "a.wav"), await jobOf("import", "b.wav")];
  expect(a.id).toBe(b.id);
  expect((await jobOf("enroll", "a.wav")).id).not.toBe((await jobOf("enroll", "b.wav")).id);
});

test("two workers at one import leave one recording, and both say which", async () => {
  const [first, second] = [await jobOf("import", "twice.wav"), await jobOf("import", "twice.wav", 2)];
  for (const turns of [0, 9, 30]) {
    const store = new MemoryStore();
    const [one, other] = [await openArchive(store), await openArchive(store)];
    const wait = async () => {
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    const settled = await Promise.allSettled([
      importHandler(one)(first, never),
      wait().then(() => importHandler(other)(second, never)),
    ]);
    // Whoever still has the job tries again what collided.
    const retried = await importHandler(await openArchive(store))({ ...second, attempts: 3 }, never);
    const recordings = await (await openArchive(store)).list();
    expect(recordings.map(({ id }) => id)).toEqual([retried["recording"]]);
    for (const each of settled) {
      if (each.status === "fulfilled") expect(each.value["recording"]).toBe(retried["recording"]);
      else if (each !== settled[0]) expect(each.reason).toMatchObject({ kind: "unavailable" });
    }
    expect((await one.verify(recordings[0]!.id, "decode")).findings).toEqual([]);
  }
});

test("a file that has changed since, or has gone, is refused with what to do", async () => {
  const archive = await openArchive(new MemoryStore());
  const catalog = await Catalog.open(new MemoryStore());
  for (const kind of ["import", "enroll"] as const) {
    const job = await jobOf(kind, "changes.wav");
    const handler =
      kind === "import"
        ? importHandler(archive)
        : enrollHandler(catalog, new SystemClock(), new SeededRandom(1));
    writeFileSync(
      job.source,
      encodeWav(new Float32Array(8000), { sampleRate: 8000, channels: 1, encoding: "s16" }),
    );
    await expect(handler(job, never)).rejects.toMatchObject({
      code: "station/source-changed",
      message: expect.stringMatching(/add it again/),
    });
    rmSync(job.source);
    await expect(handler(job, never)).rejects.toMatchObject({
      code: "station/unreadable",
      kind: "unavailable",
    });
  }
  expect(catalog.size).toBe(0);
});
