import { MemoryStore, StoreError, VirtualClock } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { expect, test } from "vitest";
import { makeRepertoire, SongRenderer } from "../src/index.ts";
import { PatientEnrolment } from "../src/songs/patient-enrolment.ts";

/** Fails every write while `full`. */
class FullStore extends MemoryStore {
  full = false;
  override async put(...args: Parameters<MemoryStore["put"]>) {
    if (this.full) throw new StoreError("store/failed", "unavailable", "The disk is full.");
    return super.put(...args);
  }
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function enrolment(prefix = "") {
  const clock = new VirtualClock();
  const store = new FullStore();
  const catalog = await Catalog.open(store, { profile: "wang-v1" });
  const repertoire = makeRepertoire(7, 2, prefix);
  const stop = new AbortController();
  const heard: string[] = [];
  const state = { workerFails: false };
  const enrolment = new PatientEnrolment({
    repertoire,
    clock,
    signal: stop.signal,
    catalog,
    fingerprint: async (score) => {
      if (state.workerFails) throw new Error("The thread has failed.");
      const samples = new Float32Array(2 * 6 * 48_000);
      new SongRenderer(score).read(samples, 0);
      return catalog.extract({ samples, sampleRate: 48_000, channels: 2 });
    },
    onEnrolled: ({ id }) => heard.push(`enrolled ${id}`),
    onFailure: ({ id }, reason) => heard.push(`${id}: ${reason}`),
  });
  return { clock, store, catalog, stop, heard, state, enrolment };
}

test("a full disk ends no enrolment: it is tried again with growing pauses, and said once", async () => {
  const { clock, store, catalog, heard, enrolment: songs } = await enrolment();
  store.full = true;
  let tries = 0;
  const enroll = catalog.enroll.bind(catalog);
  catalog.enroll = (...track) => {
    tries++;
    return enroll(...track);
  };
  let ended = false;
  const run = songs.run().then(() => {
    ended = true;
  });
  // After 0, 1, 3, 7, 15, 31, 61, 91 s.
  for (let second = 0; second < 100; second++) {
    await turns();
    clock.runUntil(clock.nowUs() + 1_000_000);
  }
  await turns();
  expect(tries).toBe(8);
  expect(songs.failure).toContain("The disk is full.");
  expect(heard).toEqual([expect.stringMatching(/^song-01: .*The disk is full\./)]);
  store.full = false;
  for (let second = 0; second < 31 && !ended; second++) {
    clock.runUntil(clock.nowUs() + 1_000_000);
    await turns();
  }
  await run;
  expect(songs).toMatchObject({ failure: undefined, enrolled: 2 });
  expect(heard.slice(1)).toEqual(["enrolled song-01", "enrolled song-02"]);
  // What was enrolled lies in the store, whatever was half written before.
  const again = await Catalog.open(store);
  expect((await again.page(0, 10)).tracks.map(({ id }) => id)).toEqual(["song-01", "song-02"]);
});

test("a fingerprint that cannot be made is tried again too, and stopping ends the waiting", async () => {
  const { stop, heard, state, enrolment: songs } = await enrolment("studio-2-");
  state.workerFails = true;
  const run = songs.run();
  await turns();
  expect(songs.failure).toBe("The thread has failed.");
  expect(heard).toEqual(["studio-2-song-01: The thread has failed."]);
  stop.abort(new Error("stopped"));
  await expect(run).rejects.toThrow("stopped");
});
