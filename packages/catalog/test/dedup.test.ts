import { MemoryStore, SeededRandom } from "@longwave/base";
import { extract, type Fingerprint } from "@longwave/fingerprint";
import { afterEach, expect, test, vi } from "vitest";
import { Catalog, VoteTable } from "../src/index.ts";
import { VoteSieve } from "../src/vote-sieve.ts";
import { melody } from "./signals.ts";

/** Frames of `wang-v1` in a second. */
const framesPerSecond = 62.5;
const form = extract("wang-v1", melody(1, 3), { sampleRate: 8000 });

/** Hash and frame of each posting of a track. */
type Postings = readonly (readonly [hash: number, frame: number])[];

function fingerprintOf(postings: Postings, seconds: number): Fingerprint {
  const records = postings.toSorted((a, b) => a[1] - b[1] || a[0] - b[0]).flat();
  return { ...form, records: Uint32Array.from(records), sourceLength: seconds * 8000 };
}

/** Postings at random: each hash is one of `hashes`. */
function random(seed: number, seconds: number, hashes: number): Postings {
  const from = new SeededRandom(seed);
  const count = 40 * seconds;
  return Array.from({ length: count }, () => [
    from.below(hashes) * 2017,
    from.below(Math.floor(seconds * framesPerSecond)),
  ]);
}

/** The same later, with every fifth hash another, and jitter of a frame. */
function edited(postings: Postings, seed: number, later: number): Postings {
  const from = new SeededRandom(seed);
  return postings
    .map(([hash, frame]) => [from.below(5) === 0 ? hash + 1 : hash, frame + later + from.below(2)] as const)
    .filter(([, frame]) => frame >= 0);
}

/** What all votes of two tracks say: the best offset, and what agrees there. */
function compared(own: Postings, other: Postings, seconds: number) {
  const framesOf = new Map<number, number[]>();
  for (const [hash, at] of other) framesOf.set(hash, [...(framesOf.get(hash) ?? []), at]);
  const votes = new VoteTable();
  votes.clear();
  for (const [hash, frame] of own) for (const at of framesOf.get(hash) ?? []) votes.add(0, at - frame);
  const [best] = votes.best(1, 3);
  const agreeing = new Set<number>();
  for (const [hash, frame] of own) {
    if (framesOf.get(hash)?.some((at) => Math.abs(at - frame - best!.offset) <= 1))
      agreeing.add(Math.floor(frame / framesPerSecond));
  }
  return {
    votes: best!.votes,
    offsetMs: Math.round(best!.offset * 16),
    coverage: Math.min(1, agreeing.size / seconds),
  };
}

afterEach(() => vi.restoreAllMocks());

test("finds in ordinary material what comparing every track with every other finds", async () => {
  const seconds = 20;
  const tracks: Postings[] = Array.from({ length: 8 }, (_, i) => random(i, seconds, 4000));
  tracks.push(edited(tracks[2]!, 20, 40), edited(tracks[5]!, 21, -90), edited(tracks[2]!, 22, 0));
  const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  for (const [i, postings] of tracks.entries())
    await catalog.enroll({ id: `t${10 + i}` }, fingerprintOf(postings, seconds));
  const expected = [];
  for (let a = 0; a < tracks.length; a++) {
    for (let b = a + 1; b < tracks.length; b++) {
      const found = compared(tracks[a]!, tracks[b]!, seconds);
      const least = 0.08 * Math.min(tracks[a]!.length, tracks[b]!.length);
      if (found.votes >= least && found.coverage >= 0.5)
        expected.push({ ids: [`t${10 + a}`, `t${10 + b}`], ...found });
    }
  }
  expect(expected.map(({ ids }) => ids.join())).toEqual(["t12,t18", "t12,t20", "t15,t19", "t18,t20"]);
  for (const prepare of [async () => undefined, () => catalog.compact()]) {
    await prepare();
    const pairs = (await catalog.dedup()).flatMap((group) => group.pairs);
    expect(pairs.toSorted((a, b) => (a.ids.join() < b.ids.join() ? -1 : 1))).toEqual(expected);
  }
});

test("loops are found with a bounded number of votes, and what agrees is counted exactly", async () => {
  const seconds = 30;
  // 20 hashes five times a second, over and over: 1.8 million votes for each of four tracks.
  const loop: Postings = Array.from({ length: 100 * seconds }, (_, i) => [
    (i % 20) * 991,
    Math.floor((i * framesPerSecond) / 100),
  ]);
  const other = random(77, seconds, 4000);
  const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  const loops = [loop, edited(loop, 1, 0), edited(loop, 2, 31), edited(loop, 3, 0)];
  for (const [i, postings] of loops.entries())
    await catalog.enroll({ id: `loop-${i}` }, fingerprintOf(postings, seconds));
  await catalog.enroll({ id: "song" }, fingerprintOf(other, seconds));
  await catalog.enroll({ id: "song again" }, fingerprintOf(edited(other, 9, 0), seconds));
  let votes = 0;
  const original = VoteSieve.prototype.add;
  const add = vi.spyOn(VoteSieve.prototype, "add");
  add.mockImplementation(function (this: VoteSieve, tracks, frames, count, frame) {
    votes += count;
    return original.call(this, tracks, frames, count, frame);
  });
  const groups = await catalog.dedup();
  expect(votes).toBeGreaterThan(2 ** 20);
  expect(votes).toBeLessThan(loops.length * 2 ** 20 + 200_000);
  expect(groups.map(({ ids }) => ids)).toEqual([
    ["loop-0", "loop-1", "loop-2", "loop-3"],
    ["song", "song again"],
  ]);
  for (const { ids, votes: told, coverage } of groups[0]!.pairs) {
    const [a, b] = ids.map((id) => loops[Number(id.at(-1))]!);
    const whole = compared(a!, b!, seconds);
    expect(coverage).toBeGreaterThan(0.9);
    // Nearly as many as at the best of all offsets, and no more.
    expect(told / whole.votes).toBeGreaterThan(0.9);
    expect(told).toBeLessThanOrEqual(whole.votes);
  }
});
