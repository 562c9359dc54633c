import { MemoryStore, SeededRandom } from "@longwave/base";
import { Resampler } from "@longwave/dsp";
import { extract, type Fingerprint } from "@longwave/fingerprint";
import { beforeAll, describe, expect, test } from "vitest";
import { Catalog } from "../src/index.ts";

const sampleRate = 8000;

interface Performance {
  /** Seed of the notes, and of how they are played. */
  readonly piece: number;
  readonly player: number;
  readonly seconds?: number;
  /** An organ instead of plucked strings: odd harmonics, slow attack, no decay; notes up to 50 ms early or late. */
  readonly organ?: boolean;
}

/** A piece as somebody plays it, with a sound of his own. */
function play({ piece, player, seconds = 20, organ = false }: Performance): Float32Array {
  const notes = new SeededRandom(piece);
  const hand = new SeededRandom(player);
  const colour = Array.from({ length: 8 }, () => hand.next() ** 2);
  const out = new Float32Array(seconds * sampleRate);
  for (let beat = 0; beat * 0.25 < seconds; beat++) {
    for (let voice = 0; voice < 2; voice++) {
      const frequency = 98 * 2 ** (notes.below(30) / 12);
      if (notes.next() < 0.3) continue;
      const start = Math.max(
        0,
        Math.round((beat * 0.25 + (organ ? 0.1 : 0.018) * (hand.next() - 0.5)) * sampleRate),
      );
      for (let i = start; i < Math.min(out.length, start + 4000); i++) {
        const t = (i - start) / sampleRate;
        const envelope = organ ? Math.min(1, t * 8, 4 - 8 * t) : Math.min(1, t * 80) * Math.exp(-5 * t);
        for (let h = 1; h <= 8; h += organ ? 2 : 1) {
          out[i]! += 0.1 * colour[h - 1]! * envelope * Math.sin(2 * Math.PI * frequency * h * t);
        }
      }
    }
  }
  return out.map((value) => value + 0.001 * (hand.next() - 0.5));
}

/** Played faster, pitch and all. */
function faster(samples: Float32Array, speed: number): Float32Array {
  const resampler = new Resampler({ from: Math.round(sampleRate * speed), to: sampleRate });
  const out = new Float32Array(resampler.maxOutputFrames(samples.length + resampler.lookaheadFrames));
  const written = resampler.process(samples, out);
  return out.slice(0, written + resampler.flush(out.subarray(written)));
}

const pieces = [1, 2, 3, 4].map((piece) => play({ piece, player: 100 + piece }));
let catalog: Catalog;
const ask = (samples: Float32Array) => catalog.identify({ samples, sampleRate });
const cut = (samples: Float32Array, start: number, end: number) =>
  samples.slice(start * sampleRate, end * sampleRate);

beforeAll(async () => {
  catalog = await Catalog.open(new MemoryStore());
  for (const [i, samples] of pieces.entries()) await catalog.enroll({ id: `p${i}` }, { samples, sampleRate });
  await catalog.compact();
});

describe("the search of mark-v1", () => {
  test("tells offset, tempo and pitch of what was played faster, off its grid", async () => {
    for (const speed of [0.965, 1.035]) {
      const { match } = await ask(faster(cut(pieces[2]!, 5, 13), speed));
      expect(match?.track.id).toBe("p2");
      expect(Math.abs(match!.offsetMs - 5000)).toBeLessThanOrEqual(20);
      expect(Math.abs(match!.tempo / speed - 1)).toBeLessThan(0.005);
      expect(Math.abs(match!.pitchCents - 1200 * Math.log2(speed))).toBeLessThan(10);
    }
  });

  test("tells by the spread of its moments a performance of the same notes from the recording", async () => {
    for (const piece of [1, 2, 3, 4]) {
      const { match: own } = await ask(cut(pieces[piece - 1]!, 4, 12));
      expect(own?.peakSpreadMs).toBeLessThan(22);
      // Here pitches and harmonics are those of the recording, so that the cover may be accepted.
      const cover = await ask(cut(play({ piece, player: 900 + piece, organ: true }), 4, 12));
      expect(cover.match?.peakSpreadMs ?? 99).toBeGreaterThan(25);
      expect(cover.candidates[0]?.score ?? 0).toBeLessThan(own!.score / 2);
    }
  });

  test("finds a recording that begins in the middle of the query, and says which part of the query it is", async () => {
    const stranger = cut(play({ piece: 77, player: 78 }), 0, 5);
    const query = new Float32Array(11 * sampleRate);
    query.set(stranger);
    query.set(cut(pieces[1]!, 0, 6), 5 * sampleRate);
    const { match } = await ask(query);
    expect(match?.track.id).toBe("p1");
    expect(Math.abs(match!.offsetMs + 5000)).toBeLessThanOrEqual(20);
    expect(match!.querySpanMs.start).toBeGreaterThan(4500);
    expect(match!.querySpanMs.end).toBeGreaterThan(9000);
  });

  test("says no to a tone, to noise and to steps of level", async () => {
    const random = new SeededRandom(5);
    const length = 6 * sampleRate;
    const signals = [
      Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / sampleRate)),
      Float32Array.from({ length }, () => 0.3 * (random.next() - 0.5)),
      Float32Array.from({ length }, (_, i) => (Math.floor(i / 1000) % 2 === 0 ? 0.4 : -0.4)),
    ];
    for (const samples of signals) {
      const { match, reason } = await ask(samples);
      expect(match).toBeUndefined();
      expect(reason).toBeDefined();
    }
  });

  test("passes over the lists of a hash flood, and says how many", async () => {
    const flooded = await Catalog.open(new MemoryStore());
    // The same two peaks over and over: few hashes, each with tens of thousands of postings.
    const records = new Uint32Array(2 * 60_000);
    for (let i = 0; i < 60_000; i++) {
      records[2 * i] = (i % 2 === 0 ? 100 : 120) * 256;
      records[2 * i + 1] = 2 * i;
    }
    const template = extract("mark-v1", pieces[0]!, { sampleRate });
    const flood: Fingerprint = { ...template, records, sourceLength: 120_000 * 256 };
    await flooded.enroll({ id: "flood" }, flood);
    await flooded.enroll({ id: "song" }, template);
    const query = { ...template, records: records.slice(0, 400), sourceLength: 400 * 256 };
    const answer = await flooded.identify(query);
    expect(answer.skippedHashes).toBeGreaterThan(100);
    expect(answer.skippedHashes).toBeLessThanOrEqual(answer.queryHashes);
    expect(answer.match).toBeUndefined();
    expect((await flooded.identify({ samples: cut(pieces[0]!, 3, 9), sampleRate })).match?.track.id).toBe(
      "song",
    );
  });
});
