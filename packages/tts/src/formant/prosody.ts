import type { Clause } from "./english-words.ts";
import { pronounce } from "./letter-to-sound.ts";
import { type Phoneme, phonemes } from "./phonemes.ts";
import { letterNames } from "./pronunciations.ts";

/** One stretch of constant control: a phoneme, or the closure, burst or aspiration of a stop. */
export interface Segment {
  readonly phoneme: Phoneme;
  readonly durationMs: number;
  /** Levels in dB; 0 is off. */
  readonly voicing: number;
  readonly aspiration: number;
  /** Share of the phoneme's frication levels, 0 to 1. */
  readonly frication: number;
  /** Pitch relative to the voice's base at the end of the segment. */
  readonly pitch: number;
}

const functionWords = new Set(
  (
    "a an and are as at be but by can could do for from had has have he her him his if in is it its me my of on or our " +
    "she so than that the their them then there they this to us was we were what when who will with would you your"
  ).split(" "),
);

interface Timed {
  readonly phoneme: Phoneme;
  readonly name: string;
  readonly stressed: boolean;
  readonly wordStart: boolean;
  readonly wordEnd: boolean;
}

/** Turns a clause into segments with durations and pitch. */
export function toSegments(clause: Clause): Segment[] {
  const timed = clause.words.flatMap(wordPhonemes);
  const segments: Segment[] = [];
  const lastVowel = timed.findLastIndex((each) => each.phoneme.manner === "vowel");
  let accent = 0;
  for (const [index, each] of timed.entries()) {
    const next = timed[index + 1];
    const isFinal = lastVowel >= 0 && index >= lastVowel;
    const durationMs = lengthOf(each, timed[index - 1], next, isFinal);
    // Declination over the clause, an accent on stressed vowels that dies away, and the clause's ending.
    const progress = timed.length > 1 ? index / (timed.length - 1) : 1;
    accent = each.phoneme.manner === "vowel" && each.stressed ? 0.16 * (1 - 0.5 * progress) : accent * 0.8;
    let pitch = 1.08 - 0.2 * progress + accent;
    if (isFinal) {
      if (clause.end === "question") pitch = 1.35;
      else if (clause.end === "pause") pitch = 1;
      else pitch = 0.78;
    }
    segments.push(...articulate(each, next, durationMs, pitch));
  }
  const silenceMs = clause.end === "pause" ? 160 : 320;
  segments.push(silence(silenceMs));
  return segments;
}

/** A pause. */
export function silence(durationMs: number): Segment {
  return { phoneme: phonemes.get("_")!, durationMs, voicing: 0, aspiration: 0, frication: 0, pitch: 1 };
}

function wordPhonemes(word: string): Timed[] {
  const spelled = word.startsWith("letters:");
  const names = spelled
    ? [...word.slice(8)].flatMap((letter) => (letterNames[letter] ?? "").split(" "))
    : pronounce(word);
  const known = names.filter((name) => phonemes.has(name));
  const isFunction = functionWords.has(word);
  // Stress the first full vowel; spelled letters all carry it.
  const stressedAt = isFunction
    ? -1
    : known.findIndex((name) => phonemes.get(name)!.manner === "vowel" && name !== "AX");
  return known.map((name, index) => ({
    phoneme: phonemes.get(name)!,
    name,
    stressed: spelled ? phonemes.get(name)!.manner === "vowel" : index === stressedAt,
    wordStart: index === 0,
    wordEnd: index === known.length - 1,
  }));
}

function lengthOf(
  each: Timed,
  previous: Timed | undefined,
  next: Timed | undefined,
  isFinal: boolean,
): number {
  const { manner, durationMs, minimumMs } = each.phoneme;
  let factor = 0.92;
  if (manner === "vowel") {
    if (!each.stressed) factor *= 0.7;
    if (isFinal) factor *= 1.4;
    // Vowels are short before voiceless stops and long before voiced fricatives of the same word.
    if (next !== undefined && !each.wordEnd) {
      if (next.phoneme.manner === "stop" && !next.phoneme.voiced) factor *= 0.8;
      else if (next.phoneme.manner === "fricative" && next.phoneme.voiced) factor *= 1.2;
    }
  } else {
    if (isFinal) factor *= 1.2;
    const isCluster =
      (next !== undefined && !each.wordEnd && next.phoneme.manner !== "vowel") ||
      (previous !== undefined && !each.wordStart && previous.phoneme.manner !== "vowel");
    if (isCluster) factor *= 0.75;
  }
  return Math.max(minimumMs, minimumMs + (durationMs - minimumMs) * factor);
}

function articulate(each: Timed, next: Timed | undefined, durationMs: number, pitch: number): Segment[] {
  const { phoneme } = each;
  const base = { phoneme, pitch, voicing: 0, aspiration: 0, frication: 0 };
  const beforeVoiced = next?.phoneme.voiced === true;
  switch (phoneme.manner) {
    case "vowel":
      return [{ ...base, durationMs, voicing: each.stressed ? 62 : 60 }];
    case "glide":
    case "liquid":
      return [{ ...base, durationMs, voicing: 57 }];
    case "nasal":
      return [{ ...base, durationMs, voicing: 55 }];
    case "aspirate": {
      // h has the shape of the vowel after it.
      const shape =
        next?.phoneme.manner === "vowel" ? { ...phoneme, formants: next.phoneme.formants } : phoneme;
      return [{ ...base, phoneme: shape, durationMs, aspiration: 56 }];
    }
    case "fricative":
      return [{ ...base, durationMs, voicing: phoneme.voiced ? 47 : 0, frication: 1 }];
    case "affricate":
      return [
        { ...base, durationMs: durationMs * 0.4, voicing: phoneme.voiced ? 40 : 0 },
        { ...base, durationMs: durationMs * 0.6, voicing: phoneme.voiced ? 45 : 0, frication: 1 },
      ];
    case "stop": {
      const segments: Segment[] = [
        { ...base, durationMs: durationMs * 0.8, voicing: phoneme.voiced ? 42 : 0 },
      ];
      // Stops before another stop are not released.
      if (next?.phoneme.manner === "stop" || next?.phoneme.manner === "affricate") return segments;
      segments.push({
        ...base,
        durationMs: phoneme.voiced ? 8 : 12,
        voicing: phoneme.voiced ? 45 : 0,
        frication: 1,
      });
      if (!phoneme.voiced && beforeVoiced) segments.push({ ...base, durationMs: 32, aspiration: 54 });
      return segments;
    }
    case "silence":
      return [{ ...base, durationMs }];
  }
}
