import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { VoteSieve } from "../src/vote-sieve.ts";
import { VoteTable } from "../src/vote-table.ts";

interface List {
  readonly tracks: Uint32Array;
  readonly frames: Uint32Array;
  readonly frame: number;
}

/** Lists of chance postings in `tracks` tracks, and of some that agree on an alignment of a few tracks. */
function randomLists(seed: number, count: number, tracks: number, agreeing: number): List[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const length = 1 + random.below(400);
    const frame = random.below(300);
    const list = {
      tracks: Uint32Array.from({ length }, () => random.below(tracks)),
      frames: Uint32Array.from({ length }, () => random.below(3000)),
      frame,
    };
    // Track t lies at offset 100 t, off by one frame now and then, and begins after the query if t is 0.
    for (let t = 0; t < agreeing; t++) {
      if (length <= t || i % (t + 2) !== 0) continue;
      list.tracks[t] = t;
      list.frames[t] = Math.max(0, frame + 100 * t + (random.below(4) === 0 ? 1 : 0));
    }
    return list;
  });
}

const add = (sieve: VoteSieve, { tracks, frames, frame }: List) =>
  sieve.add(tracks, frames, tracks.length, frame);

describe("a sieve of votes", () => {
  test("finds what a table of all votes finds", () => {
    const sieve = new VoteSieve();
    const table = new VoteTable();
    const cases = [
      { count: 30, tracks: 40, agreeing: 3 },
      { count: 100, tracks: 5, agreeing: 5 },
      { count: 100, tracks: 1000, agreeing: 30 },
      { count: 100, tracks: 1000, agreeing: 0 },
    ];
    for (const [seed, { count, tracks, agreeing }] of cases.entries()) {
      const lists = randomLists(seed, count, tracks, agreeing);
      for (const span of [2, 3] as const) {
        sieve.clear(2 ** 24);
        table.clear();
        for (const list of lists) {
          add(sieve, list);
          for (const [i, track] of list.tracks.entries()) table.add(track, list.frames[i]! - list.frame);
        }
        for (const limit of [1, 20, 1200]) expect(sieve.best(limit, span)).toEqual(table.best(limit, span));
      }
    }
  });

  test("counts further than a small counter does", () => {
    const sieve = new VoteSieve();
    sieve.clear(2 ** 24);
    const own = 9000;
    sieve.add(new Uint32Array(own).fill(7), new Uint32Array(own).fill(50), own, 10);
    sieve.add(new Uint32Array(own).fill(3), new Uint32Array(own).fill(50), own - 1, 10);
    expect(sieve.best(1, 2)).toEqual([{ track: 7, votes: own, offset: 40 }]);
  });

  test("leaves the longest lists out beyond its budget, whatever their order", () => {
    const budget = 10_000;
    const lists = randomLists(9, 150, 3000, 0);
    const lengths = lists.map(({ tracks }) => tracks.length).sort((a, b) => a - b);
    const answers = [lists, [...lists].reverse()].map((order) => {
      const sieve = new VoteSieve();
      sieve.clear(budget);
      for (const list of order) add(sieve, list);
      expect(sieve.count).toBeLessThanOrEqual(budget);
      expect(sieve.shedLists).toBe(lengths.filter((length) => length > sieve.listLimit).length);
      expect(sieve.count).toBe(lengths.filter((length) => length <= sieve.listLimit).reduce((a, b) => a + b));
      return { limit: sieve.listLimit, best: sieve.best(20, 2) };
    });
    expect(answers[1]).toEqual(answers[0]);
    // No more is left out than has to be: the next limit would not have fitted.
    const kept = lengths.filter((length) => length <= 2 * answers[0]!.limit).reduce((a, b) => a + b);
    expect(kept).toBeGreaterThan(budget);
  });

  test("keeps the first of very many short lists", () => {
    const sieve = new VoteSieve();
    sieve.clear(1000);
    for (let i = 0; i < 5000; i++) sieve.add(Uint32Array.of(i), Uint32Array.of(i), 1, 0);
    expect(sieve.count).toBe(1000);
    expect(sieve.shedLists).toBe(4000);
  });
});
