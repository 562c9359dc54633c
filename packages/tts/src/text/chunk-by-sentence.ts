import { strip } from "./python-characters.ts";

/**
 * Splits text after `.`, `!` and `?` (with any run of them and closing quotes), and packs sentences greedily while they fit.
 * A single sentence beyond the limit is cut at spaces. For engines that have no tokenizer of their own.
 *
 * @param maxChars most UTF-16 units of a chunk; 0 or less: every sentence is a chunk of its own
 */
export function chunkBySentence(text: string, maxChars = 0): string[] {
  const sentences = (text.match(/[^.!?]+(?:[.!?]+["'”’)\]]*|$)|[.!?]+/gu) ?? [])
    .map(strip)
    .filter((s) => s !== "");
  if (maxChars <= 0) return sentences;
  const chunks: string[] = [];
  let current = "";
  for (const sentence of sentences.flatMap((each) => cutAtSpaces(each, maxChars))) {
    if (current !== "" && current.length + 1 + sentence.length > maxChars) {
      chunks.push(current);
      current = sentence;
    } else current = current === "" ? sentence : `${current} ${sentence}`;
  }
  if (current !== "") chunks.push(current);
  return chunks;
}

function cutAtSpaces(sentence: string, maxChars: number): string[] {
  const parts: string[] = [];
  let rest = sentence;
  while (rest.length > maxChars) {
    const space = rest.lastIndexOf(" ", maxChars);
    const cut = space > 0 ? space : maxChars;
    parts.push(strip(rest.slice(0, cut)));
    rest = strip(rest.slice(cut));
  }
  if (rest !== "") parts.push(rest);
  return parts;
}
