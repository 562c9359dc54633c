import { type LetterRule, letterRules } from "./letter-rules.ts";
import { wordPronunciations } from "./pronunciations.ts";

const vowels = "aeiouy";
const consonants = "bcdfghjklmnpqrstvwxz";
const voiced = "bdvgjlmnrwz";
const sibilants = ["s", "c", "g", "z", "x", "j", "ch", "sh"];
const noYod = ["t", "s", "r", "d", "l", "z", "n", "j", "th", "ch", "sh"];
const suffixes = ["er", "es", "ed", "ely", "ing", "e"];

/**
 * Phonemes (ARPAbet) of one lower-case English word of letters and apostrophes: by the list of exceptions, else by rule.
 * Letters outside a-z must have been replaced before; any that are left are silent.
 */
export function pronounce(word: string): readonly string[] {
  return wordPronunciations.get(word) ?? wordPronunciations.get(word.replaceAll("'", "")) ?? byRule(word);
}

function byRule(word: string): string[] {
  const padded = `_${word}_`;
  const phonemes: string[] = [];
  for (let at = 1; at < padded.length - 1; ) {
    const rule = letterRules.get(padded[at]!)?.find((each) => matches(each, padded, at));
    if (rule === undefined) {
      at++;
      continue;
    }
    phonemes.push(...rule.phonemes);
    at += rule.letters.length;
  }
  return phonemes;
}

function matches(rule: LetterRule, word: string, at: number): boolean {
  return (
    word.startsWith(rule.letters, at) &&
    matchesLeft(rule.left, rule.left.length - 1, word, at - 1) &&
    matchesRight(rule.right, 0, word, at + rule.letters.length)
  );
}

/** Matches the context signs from the right end of `pattern` against the letters leftwards of `at`. */
function matchesLeft(pattern: string, index: number, word: string, at: number): boolean {
  if (index < 0) return true;
  const sign = pattern[index]!;
  const letter = word[at] ?? "";
  if (sign === "#") {
    let run = at;
    while (run >= 0 && isIn(vowels, word[run])) {
      run--;
      if (matchesLeft(pattern, index - 1, word, run)) return true;
    }
    return false;
  }
  if (sign === ":") {
    let run = at;
    for (;;) {
      if (matchesLeft(pattern, index - 1, word, run)) return true;
      if (run < 0 || !isIn(consonants, word[run])) return false;
      run--;
    }
  }
  if (sign === "&" || sign === "@") {
    return (sign === "&" ? sibilants : noYod).some(
      (each) =>
        word.slice(0, at + 1).endsWith(each) && matchesLeft(pattern, index - 1, word, at - each.length),
    );
  }
  return matchesOne(sign, letter) && matchesLeft(pattern, index - 1, word, at - 1);
}

function matchesRight(pattern: string, index: number, word: string, at: number): boolean {
  if (index >= pattern.length) return true;
  const sign = pattern[index]!;
  const letter = word[at] ?? "";
  if (sign === "#") {
    let run = at;
    while (isIn(vowels, word[run])) {
      run++;
      if (matchesRight(pattern, index + 1, word, run)) return true;
    }
    return false;
  }
  if (sign === ":") {
    let run = at;
    for (;;) {
      if (matchesRight(pattern, index + 1, word, run)) return true;
      if (!isIn(consonants, word[run])) return false;
      run++;
    }
  }
  if (sign === "%") {
    return suffixes.some(
      (each) => word.startsWith(each, at) && matchesRight(pattern, index + 1, word, at + each.length),
    );
  }
  return matchesOne(sign, letter) && matchesRight(pattern, index + 1, word, at + 1);
}

function matchesOne(sign: string, letter: string): boolean {
  if (sign === "^") return isIn(consonants, letter);
  if (sign === ".") return isIn(voiced, letter);
  if (sign === "+") return isIn("eiy", letter);
  return sign === letter;
}

function isIn(set: string, letter: string | undefined): boolean {
  return letter !== undefined && letter !== "" && set.includes(letter);
}
