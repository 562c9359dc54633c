import { type PrepareTextOptions, prepareText } from "./prepare-text.ts";
import { strip } from "./python-characters.ts";
import type { SentencePieceTokenizer } from "./sentencepiece-tokenizer.ts";

/** Most tokens of a chunk by default; the model skips words in longer ones. */
export const defaultMaxTokens = 50;

interface Segment {
  readonly tokens: number;
  readonly text: string;
}

/**
 * Splits text into chunks that the model speaks one by one, as Pocket TTS 2.1 does: at runs of sentence-end tokens, over-long
 * sentences also at `,;:`, then packed greedily while the token counts of the slices add up to at most `maxTokens`.
 *
 * The counts are those of slices of the whole text; a chunk encoded anew may differ by a token.
 * @throws TtsError `tts/empty-text`
 */
export function splitIntoChunks(
  tokenizer: SentencePieceTokenizer,
  text: string,
  maxTokens: number = defaultMaxTokens,
  options: PrepareTextOptions = {},
): string[] {
  const whole = tokenizer.encode(strip(prepareText(text, options).text));
  const sentenceEnds = new Set(tokenizer.encode(".!...?").slice(1));
  const pauses = new Set(tokenizer.encode(",;:").slice(1));
  const segments = cutAfter(tokenizer, whole, sentenceEnds).flatMap((sentence) => {
    if (sentence.tokens <= maxTokens) return [sentence];
    const parts = cutAfter(tokenizer, tokenizer.encode(strip(sentence.text)), pauses);
    return parts.length > 1 ? parts : [sentence];
  });
  const chunks: string[] = [];
  let current = "";
  let currentTokens = 0;
  for (const { tokens, text: segment } of segments) {
    if (current === "") {
      current = segment;
      currentTokens = tokens;
    } else if (currentTokens + tokens > maxTokens) {
      chunks.push(strip(current));
      current = segment;
      currentTokens = tokens;
    } else {
      current += ` ${segment}`;
      currentTokens += tokens;
    }
  }
  if (current !== "") chunks.push(strip(current));
  return chunks;
}

/** Cuts before the first token that follows a run of boundary tokens. */
function cutAfter(
  tokenizer: SentencePieceTokenizer,
  ids: readonly number[],
  boundaries: Set<number>,
): Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  for (let i = 1; i <= ids.length; i++) {
    const isCut = i === ids.length || (boundaries.has(ids[i - 1]!) && !boundaries.has(ids[i]!));
    if (!isCut) continue;
    const slice = ids.slice(start, i);
    segments.push({ tokens: slice.length, text: tokenizer.decode(slice) });
    start = i;
  }
  return segments;
}
