import { describe, expect, test } from "vitest";
import { composeSong, makeRepertoire, type Score, SongRenderer } from "../src/index.ts";

/** The first `seconds` of a song, read in blocks of `blockFrames`. */
function render(score: Score, seconds: number, blockFrames: number): Float32Array {
  const renderer = new SongRenderer(score);
  const whole = new Float32Array(2 * 48_000 * seconds);
  const block = new Float32Array(2 * blockFrames);
  for (let at = 0; at < whole.length; ) {
    const frames = renderer.read(block);
    if (frames === 0) break;
    whole.set(block.subarray(0, Math.min(2 * frames, whole.length - at)), at);
    at += 2 * frames;
  }
  return whole;
}

describe("the repertoire", () => {
  test("has at least twenty songs in several styles, each with a title of its own", () => {
    const songs = makeRepertoire(7);
    expect(songs.length).toBeGreaterThanOrEqual(20);
    expect(new Set(songs.map((song) => song.style)).size).toBeGreaterThanOrEqual(8);
    expect(new Set(songs.map((song) => song.title)).size).toBe(songs.length);
  });

  test("gives every song a melody, harmony, bass and drums", () => {
    for (const song of makeRepertoire(3)) {
      for (const part of ["lead", "harmony", "bass"] as const) {
        expect(song.notes.filter((note) => note.part === part).length, `${song.id} ${part}`).toBeGreaterThan(
          8,
        );
      }
      expect(song.drums.length, song.id).toBeGreaterThan(20);
    }
  });

  test("is other music for another seed", () => {
    const notes = (seed: number) =>
      composeSong(seed, 0).notes.map((note) => `${note.startFrame} ${note.midi}`);
    expect(notes(1)).toEqual(notes(1));
    expect(notes(1)).not.toEqual(notes(2));
  });

  test("refuses a number of songs that makes no sense", () => {
    for (const count of [0, -1, 1.5, 501, Number.NaN]) {
      expect(() => makeRepertoire(1, count)).toThrowError(/1 to 500/);
    }
  });
});

describe("a rendered song", () => {
  test("is the same samples for every way of cutting it into blocks", () => {
    const score = composeSong(7, 1);
    const whole = render(score, 3, 960);
    for (const blockFrames of [1, 241, 4096]) {
      const other = render(score, 3, blockFrames);
      expect(Buffer.compare(Buffer.from(other.buffer), Buffer.from(whole.buffer))).toBe(0);
    }
  });

  test("stays inside full scale and is audible in every style", () => {
    for (const score of makeRepertoire(7, 10)) {
      const sound = render(score, 6, 960);
      let peak = 0;
      let square = 0;
      for (const value of sound) {
        peak = Math.max(peak, Math.abs(value));
        square += value * value;
      }
      expect(peak, score.style).toBeLessThan(1);
      expect(square / sound.length, score.style).toBeGreaterThan(1e-4);
    }
  });

  test("has exactly the length that its score says, and ends silent", () => {
    const score = composeSong(5, 2);
    const renderer = new SongRenderer(score);
    const block = new Float32Array(2 * 4801);
    let frames = 0;
    let loudestAtEnd = 0;
    for (let count = renderer.read(block); count > 0; count = renderer.read(block)) {
      for (let i = Math.max(0, score.lengthFrames - 48 - frames); i < count; i++) {
        loudestAtEnd = Math.max(loudestAtEnd, Math.abs(block[2 * i]!), Math.abs(block[2 * i + 1]!));
      }
      frames += count;
    }
    expect(frames).toBe(score.lengthFrames);
    expect(renderer.position).toBe(score.lengthFrames);
    expect(loudestAtEnd).toBeLessThan(0.01);
  });
});
