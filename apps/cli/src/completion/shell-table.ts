import type { CommandWords, Flag, Word } from "./command-tree.ts";

/** A word in single quotes, as zsh and fish read it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The first line of a description, for shells that show it beside the word. */
export function brief(word: Word): string {
  const line = word.description.split("\n", 1)[0]!;
  return line.length > 70 ? `${line.slice(0, 69).trimEnd()}…` : line;
}

/** The flags of one command that take a value, with its choices. */
export function valuedFlags(entry: CommandWords): Flag[] {
  return entry.flags.filter(({ takesValue }) => takesValue);
}
