import { SeededRandom } from "@longwave/base";
import { StationError } from "../errors.ts";
import { Programme, type ProgrammeItem } from "../programme.ts";
import { composeSong } from "./composer.ts";
import type { Score } from "./score.ts";
import { SongRenderer } from "./song-renderer.ts";

/** Songs of the built-in programme unless told otherwise: enough that two hours pass before one feels familiar. */
export const defaultSongCount = 24;

/** Composes the songs of a seed. @param prefix is put before their ids, where repertoires share a catalog */
export function makeRepertoire(seed: number, count: number = defaultSongCount, prefix: string = ""): Score[] {
  if (!Number.isInteger(count) || count < 1 || count > 500) {
    throw new StationError("station/bad-option", "usage", `A repertoire has 1 to 500 songs, not ${count}.`);
  }
  return Array.from({ length: count }, (_, index) => {
    const score = composeSong(seed, index);
    return { ...score, id: prefix + score.id };
  });
}

/**
 * Plays a repertoire for ever: every round is a new order of all songs, and no song follows itself. The first round begins
 * with the first song, because that one is enrolled first.
 */
export function songProgramme(repertoire: readonly Score[], seed: number): Programme {
  return new Programme(songOrder(repertoire, seed));
}

/** The songs in the order in which {@link songProgramme} plays them. */
export function songOrder(repertoire: readonly Score[], seed: number): () => ProgrammeItem {
  const random = new SeededRandom(seed, 0x40_0000);
  let order: number[] = [];
  let last = -1;
  return () => {
    if (order.length === 0)
      order = last < 0 ? firstRound(repertoire.length, random) : shuffle(repertoire.length, random, last);
    last = order.shift()!;
    return songItem(repertoire[last]!);
  };
}

function songItem(score: Score): ProgrammeItem {
  const renderer = new SongRenderer(score);
  return {
    cue: {
      item: "song",
      id: score.id,
      title: score.title,
      detail: `${score.style}, ${score.tempoBpm} bpm`,
      lengthFrames: score.lengthFrames,
    },
    read: (block, startFrame) => renderer.read(block, startFrame),
  };
}

function firstRound(count: number, random: SeededRandom): number[] {
  return [0, ...shuffle(count, random, 0).filter((index) => index !== 0)];
}

/** Fisher and Yates; a first place equal to `notFirst` is exchanged with the last. */
function shuffle(count: number, random: SeededRandom, notFirst: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const k = random.below(i + 1);
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
  if (count > 1 && order[0] === notFirst) [order[0], order[count - 1]] = [order[count - 1]!, order[0]!];
  return order;
}
