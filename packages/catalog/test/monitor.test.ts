import { MemoryStore, SeededRandom } from "@longwave/base";
import { extract, type SoundClass } from "@longwave/fingerprint";
import { describe, expect, test, vi } from "vitest";
import { align, Catalog, LiveMatcher, type MonitorEvent, type MonitorOptions } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const songs = Array.from({ length: 6 }, (_, seed) => melody(300 + seed, 30));
const fingerprints = songs.map((samples) => extract("mark-v1", samples, { sampleRate }));

async function filled(): Promise<Catalog> {
  const catalog = await Catalog.open(new MemoryStore());
  for (const [i, fingerprint] of fingerprints.entries())
    await catalog.enroll({ id: `song-${i}` }, fingerprint);
  return catalog;
}

function joined(...parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

async function eventsOf(
  catalog: Catalog,
  samples: Float32Array,
  options: Pick<MonitorOptions, "only"> = {},
): Promise<MonitorEvent[]> {
  const chunks: Float32Array[] = [];
  for (let at = 0; at < samples.length; at += 1111) chunks.push(samples.slice(at, at + 1111));
  const events: MonitorEvent[] = [];
  for await (const event of catalog.monitor(chunks, { sampleRate, ...options })) events.push(event);
  return events;
}

describe("monitor", () => {
  test("tells when tracks are entered and left, and what was silent or unknown", async () => {
    const catalog = await filled();
    const programme = joined(
      songs[1]!.slice(0, 20 * sampleRate),
      songs[4]!.slice(5 * sampleRate, 25 * sampleRate),
      new Float32Array(25 * sampleRate),
      melody(999, 25),
      songs[2]!.slice(0, 20 * sampleRate),
    );
    const events = await eventsOf(catalog, programme);
    const short = events.map((event) => ("track" in event ? `${event.type} ${event.track.id}` : event.type));
    expect(short).toEqual([
      "enter song-1",
      "leave song-1",
      "enter song-4",
      "leave song-4",
      "silence",
      "unknown",
      "enter song-2",
      "leave song-2",
    ]);
    const expectedMs = [0, 20_000, 20_000, 40_000, undefined, undefined, 90_000, 110_000];
    for (const [i, expected] of expectedMs.entries()) {
      if (expected !== undefined) expect(Math.abs(events[i]!.atMs - expected)).toBeLessThan(1500);
    }
    const leave = events[3]!;
    expect(leave.type === "leave" && Math.abs(leave.referenceSpanMs.start - 5000)).toBeLessThan(1500);
    expect(leave.type === "leave" && Math.abs(leave.referenceSpanMs.end - 25_000)).toBeLessThan(1500);
  });

  test("looks only where the wanted class of sound is", async () => {
    const catalog = await filled();
    const random = new SeededRandom(1);
    const hiss = Float32Array.from({ length: 20 * sampleRate }, () => 0.3 * (random.next() - 0.5));
    const programme = joined(hiss, songs[1]!.slice(0, 12 * sampleRate), new Float32Array(20 * sampleRate));
    const looks = vi.spyOn(LiveMatcher.prototype, "identify");
    const told = async (samples: Float32Array, only: readonly SoundClass[]) => {
      looks.mockClear();
      const events = await eventsOf(catalog, samples, { only });
      return events.map((event) => ("track" in event ? `${event.type} ${event.track.id}` : event.type));
    };
    expect(await told(programme, ["music"])).toEqual(["unknown", "enter song-1", "leave song-1", "silence"]);
    // 12 s of music and the 8 s that a look reaches back, of 52.
    expect(looks.mock.calls.length).toBeLessThan(25);
    // The gate is open until the first class is known.
    expect(await told(songs[1]!, ["speech"])).toEqual(["unknown"]);
    expect(looks.mock.calls.length).toBeLessThan(12);
    looks.mockRestore();
  });

  test("bridges a short gap and reports a second play of the same track", async () => {
    const catalog = await filled();
    const [song] = songs as [Float32Array];
    const gap = joined(
      song.slice(0, 12 * sampleRate),
      new Float32Array(2 * sampleRate),
      song.slice(14 * sampleRate),
    );
    expect((await eventsOf(catalog, gap)).map(({ type }) => type)).toEqual(["enter", "leave"]);
    const twice = joined(song.slice(0, 14 * sampleRate), song.slice(0, 14 * sampleRate));
    expect((await eventsOf(catalog, twice)).map(({ type }) => type)).toEqual([
      "enter",
      "leave",
      "enter",
      "leave",
    ]);
  });
});

describe("samples that are no numbers", () => {
  test("are counted as they came, told when the first come, when they doubled, and at the end", async () => {
    const catalog = await filled();
    const programme = songs[1]!.slice(0, 14 * sampleRate);
    const broken = (second: number, count: number) => {
      for (let i = 0; i < count; i++)
        programme[second * sampleRate + i] = [Number.NaN, Infinity, -Infinity][i % 3]!;
    };
    broken(2, 3);
    broken(4, 2);
    broken(6, 95);
    broken(10, 40);
    const events = await eventsOf(catalog, programme);
    const told = events.flatMap((event) => (event.type === "replaced" ? [[event.atMs, event.samples]] : []));
    expect(told).toEqual([
      [3000, 3],
      [7000, 100],
      [14_000, 140],
    ]);
    expect(events.filter(({ type }) => type !== "replaced").map(({ type }) => type)).toEqual([
      "enter",
      "leave",
    ]);
  });
});

describe("dedup", () => {
  test("groups tracks of the same recording, not those that share a few seconds", async () => {
    const catalog = await filled();
    const edit = songs[3]!.slice(6 * sampleRate);
    await catalog.enroll({ id: "radio-edit" }, extract("mark-v1", edit, { sampleRate }));
    const jingle = songs[5]!.slice(0, 5 * sampleRate);
    const medley = joined(melody(400, 20), jingle, melody(401, 10));
    await catalog.enroll({ id: "with-jingle" }, extract("mark-v1", medley, { sampleRate }));
    for (const prepare of [async () => undefined, () => catalog.compact()]) {
      await prepare();
      const groups = await catalog.dedup();
      expect(groups.map(({ ids }) => ids)).toEqual([["radio-edit", "song-3"]]);
      expect(Math.abs(groups[0]!.pairs[0]!.offsetMs - 6000)).toBeLessThan(50);
      expect(groups[0]!.pairs[0]!.coverage).toBeGreaterThan(0.8);
    }
  });
});

describe("align", () => {
  test("gives offset and points of two recordings, and nothing for strangers", async () => {
    const first = { samples: songs[0]!, sampleRate };
    const second = { samples: songs[0]!.slice(7 * sampleRate), sampleRate };
    const { overall, points, driftPpm } = await align(first, second);
    expect(Math.abs(overall!.offsetMs - 7000)).toBeLessThan(40);
    expect(points.length).toBeGreaterThan(2);
    expect(Math.abs(driftPpm!)).toBeLessThan(4000);
    expect((await align(first, { samples: songs[1]!, sampleRate })).overall).toBeUndefined();
  });
});
