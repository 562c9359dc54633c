import { countWords } from "./python-characters.ts";

/** Texts of fewer words come out garbled far more often when they are spoken alone (pocket-tts issue 313). */
export const fewestWords = 3;

/**
 * Joins pieces of fewer than {@link fewestWords} words to the piece before, or, the first, to the one after. Order and words stay; a text
 * that is short as a whole stays one short piece.
 */
export function joinShort(pieces: readonly string[]): string[] {
  const joined: string[] = [];
  for (const piece of pieces) {
    const before = joined.at(-1);
    if (before !== undefined && (countWords(piece) < fewestWords || countWords(before) < fewestWords)) {
      joined[joined.length - 1] = `${before} ${piece}`;
    } else joined.push(piece);
  }
  return joined;
}
