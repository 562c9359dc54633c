import { TtsError } from "../errors.ts";
import { strip } from "./python-characters.ts";

/** Text to speak, or silence of so many milliseconds. */
export type SpokenPart = { readonly text: string } | { readonly pauseMs: number };

/** Longest pause that a text may ask for, milliseconds. */
export const maxPauseMs = 10_000;

/** All pauses of a text together, milliseconds: a mark of ten letters must not cost megabytes of silence each. */
export const maxPausesMs = 60_000;

// [pause:500], [pause:500ms], [pause 0.5s], <break/>, <break time="500ms"/>; anything else stays text.
const mark =
  /\[pause[: ]\s*(\d{1,6}(?:\.\d{1,3})?)\s*(ms|s)?\s*\]|<break(?:\s+time\s*=\s*["'](\d{1,6}(?:\.\d{1,3})?)(ms|s)["'])?\s*\/?>/gi;

/**
 * Splits a text at its pauses: `[pause:500ms]` (milliseconds unless it says `s`) or SSML's `<break time="0.5s"/>` (500 ms without a time).
 * Parts without a word are left out; pauses side by side stay two.
 * @throws TtsError `tts/option-invalid` for a pause above {@link maxPauseMs}, or all above {@link maxPausesMs}; `tts/empty-text` where nothing is left to say
 */
export function splitAtPauses(text: string): SpokenPart[] {
  const parts: SpokenPart[] = [];
  let hasText = false;
  const say = (piece: string) => {
    const clean = strip(piece);
    if (clean === "") return;
    hasText = true;
    parts.push({ text: clean });
  };
  let at = 0;
  let allMs = 0;
  for (const match of text.matchAll(mark)) {
    say(text.slice(at, match.index));
    at = match.index + match[0].length;
    const value = match[1] ?? match[3] ?? "500";
    const unit = (match[2] ?? match[4] ?? "ms").toLowerCase();
    const pauseMs = Number(value) * (unit === "s" ? 1000 : 1);
    if (pauseMs > maxPauseMs) {
      throw new TtsError("tts/option-invalid", `A pause lasts at most ${maxPauseMs} ms, not ${match[0]}.`);
    }
    allMs += pauseMs;
    if (allMs > maxPausesMs) {
      throw new TtsError("tts/option-invalid", `All pauses together last at most ${maxPausesMs} ms.`);
    }
    parts.push({ pauseMs });
  }
  say(text.slice(at));
  if (!hasText) throw new TtsError("tts/empty-text", "There are only pauses, and no text to speak.");
  return parts;
}
