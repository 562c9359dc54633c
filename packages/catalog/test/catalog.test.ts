import { MemoryStore } from "@longwave/base";
import { createStream, extract } from "@longwave/fingerprint";
import { describe, expect, test } from "vitest";
import { Catalog } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const songs = Array.from({ length: 12 }, (_, seed) => melody(100 + seed, 20));
const fingerprints = songs.map((samples) => extract("wang-v1", samples, { sampleRate }));

async function filled(store = new MemoryStore()): Promise<Catalog> {
  const catalog = await Catalog.open(store, { profile: "wang-v1" });
  for (const [i, fingerprint] of fingerprints.entries()) {
    await catalog.enroll({ id: `song-${i}`, title: `Song ${i}` }, fingerprint);
  }
  return catalog;
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  return work().then(
    () => "no error",
    (error) => error.code,
  );
}

describe("Catalog", () => {
  test("finds a piece of every track at its place", async () => {
    const catalog = await filled();
    for (const [i, song] of songs.entries()) {
      const { match } = await catalog.identify({ samples: song.slice(56_000, 96_000), sampleRate });
      expect(match?.track.id).toBe(`song-${i}`);
      expect(Math.abs(match!.offsetMs - 7000)).toBeLessThanOrEqual(16);
      expect(match?.pFalse).toBeLessThan(1e-3);
    }
  });

  test("says no, with a reason, to what is not there", async () => {
    const catalog = await filled();
    const identify = (samples: Float32Array) => catalog.identify({ samples, sampleRate });
    for (let seed = 900; seed < 910; seed++) {
      expect((await identify(melody(seed, 6))).match).toBeUndefined();
    }
    expect(await identify(new Float32Array(24_000))).toMatchObject({ match: undefined, reason: "silence" });
    expect(await identify(new Float32Array(100))).toMatchObject({ match: undefined, reason: "too-short" });
  });

  test("survives a restart, with replacements and removals", async () => {
    const store = new MemoryStore();
    const first = await filled(store);
    await first.remove("song-3");
    await first.enroll({ id: "song-4" }, { samples: melody(777, 10), sampleRate }, { replace: true });
    const second = await Catalog.open(store);
    expect(second.tracks()).toEqual(first.tracks());
    expect(second.size).toBe(11);
    const query = (samples: Float32Array) =>
      second.identify({ samples: samples.slice(8000, 56_000), sampleRate });
    expect((await query(songs[3]!)).match).toBeUndefined();
    expect((await query(songs[4]!)).match).toBeUndefined();
    expect((await query(melody(777, 10))).match?.track.id).toBe("song-4");
    expect((await query(songs[5]!)).match?.track.id).toBe("song-5");
  });

  test("treats the same sound under two ids as one recording", async () => {
    const catalog = await filled();
    const again = await catalog.enroll({ id: "copy" }, { samples: songs[2]!, sampleRate });
    expect(again.duplicates).toEqual(["song-2"]);
    const { match } = await catalog.identify({ samples: songs[2]!.slice(30_000, 70_000), sampleRate });
    expect([match?.track.id, ...match!.duplicates].sort()).toEqual(["copy", "song-2"]);
  });

  test("enrolls the same sound under the same id once", async () => {
    const catalog = await filled();
    const sound = { samples: songs[0]!, sampleRate };
    expect((await catalog.enroll({ id: "song-0" }, sound)).status).toBe("unchanged");
    expect(await codeOf(() => catalog.enroll({ id: "song-0" }, { samples: songs[1]!, sampleRate }))).toBe(
      "catalog/exists",
    );
  });

  test("lets two writers take turns without losing a change", async () => {
    const store = new MemoryStore();
    const [a, b] = [await Catalog.open(store), await Catalog.open(store)];
    await Promise.all(
      songs.map((samples, i) => (i % 2 === 0 ? a : b).enroll({ id: `t${i}` }, { samples, sampleRate })),
    );
    const reader = await Catalog.open(store, { readOnly: true });
    expect(reader.size).toBe(songs.length);
  });

  test("writes nothing before the first change, and then the manifest first", async () => {
    const store = new MemoryStore();
    const keys = async () => {
      const found: string[] = [];
      for await (const { key } of store.list("")) found.push(key);
      return found;
    };
    const catalog = await Catalog.open(store);
    expect(await codeOf(() => catalog.remove("nobody"))).toBe("catalog/not-found");
    expect((await catalog.identify({ samples: songs[0]!, sampleRate })).match).toBeUndefined();
    await catalog.refresh();
    expect(await keys()).toEqual([]);
    await catalog.enroll({ id: "one" }, { samples: songs[0]!, sampleRate });
    expect(await keys()).toEqual(["journal/000000000001", "manifest.json"]);
  });

  test("refuses a store with other data and changes nothing there; names with a dot in front do not count", async () => {
    const store = new MemoryStore();
    await store.put(".DS_Store", new Uint8Array(1));
    await Catalog.open(store);
    await store.put("letters/to-mother.txt", new Uint8Array(1));
    await expect(Catalog.open(store)).rejects.toMatchObject({
      code: "catalog/foreign",
      kind: "usage",
      message: expect.stringContaining("letters/to-mother.txt"),
    });
  });

  test("of two that create a catalog with different profiles, the second is told", async () => {
    const store = new MemoryStore();
    const [a, b] = [
      await Catalog.open(store, { profile: "wang-v1" }),
      await Catalog.open(store, { profile: "mark-v1" }),
    ];
    await a.enroll({ id: "one" }, { samples: songs[0]!, sampleRate });
    expect(await codeOf(() => b.enroll({ id: "two" }, { samples: songs[1]!, sampleRate }))).toBe(
      "catalog/profile-mismatch",
    );
    expect((await Catalog.open(store)).size).toBe(1);
  });

  test.each([
    ["catalog/missing", () => Catalog.open(new MemoryStore(), { readOnly: true })],
    ["catalog/not-found", async () => (await filled()).remove("nobody")],
    ["catalog/bad-id", async () => (await filled()).enroll({ id: "" }, { samples: songs[0]!, sampleRate })],
  ])("answers %s", async (code, work) => {
    expect(await codeOf(work)).toBe(code);
  });

  test("finds every damaged byte of its files", async () => {
    const store = new MemoryStore();
    const catalog = await Catalog.open(store);
    await catalog.enroll({ id: "one" }, { samples: melody(1, 3), sampleRate });
    for await (const { key, size } of store.list("")) {
      const whole = (await store.get(key))!;
      for (let at = 0; at < size - 1; at += 7) {
        const broken = whole.slice();
        broken[at]! ^= 0x10;
        await store.put(key, broken);
        expect(["catalog/corrupt", "catalog/version"]).toContain(await codeOf(() => Catalog.open(store)));
      }
      await store.put(key, whole);
    }
  });

  test("reports a journal object that is gone", async () => {
    const store = new MemoryStore();
    await filled(store);
    await store.delete("journal/000000000005");
    expect(await codeOf(() => Catalog.open(store))).toBe("catalog/corrupt");
  });
});

describe("LiveMatcher", () => {
  test("follows a stream from track to track and tells the place", async () => {
    const catalog = await filled();
    const live = catalog.live({ windowSeconds: 6 });
    const ids: (string | undefined)[] = [];
    for (const song of [songs[7]!, songs[8]!]) {
      for (let at = 0; at < song.length; at += sampleRate) {
        live.push(song, at, at + sampleRate);
        if (at < 12 * sampleRate) continue;
        const answer = await live.identify();
        ids.push(answer.match?.track.id);
        expect(Math.abs(answer.positionMs! - ((at + sampleRate) * 1000) / sampleRate)).toBeLessThanOrEqual(
          16,
        );
      }
    }
    expect(ids).toEqual([...Array(8).fill("song-7"), ...Array(8).fill("song-8")]);
  });

  test("names a track by records that are not final yet, and forgets them with the look", async () => {
    const catalog = await filled();
    const started = songs[3]!.subarray(0, 16_000);
    let final = 0;
    createStream("wang-v1").push(started, (_, count) => void (final += count));
    expect(final).toBe(0);
    const live = catalog.live();
    live.push(started);
    const [first, again] = [await live.identify(), await live.identify()];
    expect(first.match?.track.id).toBe("song-3");
    expect(again).toEqual(first);
    // Looked at every eighth of a second or once: what is final in the end is the same.
    const often = catalog.live();
    for (let at = 0; at < songs[4]!.length; at += 1000) {
      often.push(songs[4]!, at, at + 1000);
      await often.identify();
    }
    const once = catalog.live();
    once.push(songs[4]!);
    expect(await often.identify()).toEqual(await once.identify());
    const stranger = catalog.live();
    const unknown = melody(950, 20);
    for (let at = 0; at < unknown.length; at += 4000) {
      stranger.push(unknown, at, at + 4000);
      expect((await stranger.identify()).match).toBeUndefined();
    }
  });
});
