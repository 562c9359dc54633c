import { cardinalWords, digitWords, ordinalWords, yearWords } from "./number-words.ts";

/** A clause: words to say in one breath and how it ends. */
export interface Clause {
  /** Lower-case words of a-z and apostrophes; `letters:xyz` is spelled out. */
  readonly words: readonly string[];
  readonly end: "full" | "question" | "exclamation" | "pause";
}

const abbreviations: Readonly<Record<string, string>> = {
  mr: "mister",
  mrs: "missis",
  ms: "miz",
  dr: "doctor",
  st: "saint",
  vs: "versus",
  etc: "et cetera",
  khz: "kilo hertz",
  hz: "hertz",
  mhz: "mega hertz",
  db: "decibel",
  ms_: "milliseconds",
  km: "kilometers",
  kg: "kilograms",
};

const symbols: Readonly<Record<string, string>> = {
  "&": " and ",
  "@": " at ",
  "%": " percent ",
  "+": " plus ",
  "=": " equals ",
  "#": " number ",
  "*": " star ",
  "/": " slash ",
  "°": " degrees ",
  "½": " one half ",
  "…": ". ",
};

/** Splits text into clauses of speakable words: numbers, times, sums of money, abbreviations and symbols are written out. */
export function toClauses(text: string): Clause[] {
  const clauses: Clause[] = [];
  const pattern = /([^.!?;:,\n()—–]|[.:,](?=\d))+|[.!?;:,\n()—–]+/gu;
  let words: string[] = [];
  const close = (end: Clause["end"]) => {
    if (words.length > 0) clauses.push({ words, end });
    words = [];
  };
  for (const [part] of plainLetters(text).matchAll(pattern)) {
    if (/[^.!?;:,\n()—–]/u.test(part)) {
      words.push(...toWords(part));
      continue;
    }
    const last = words.at(-1);
    if (
      part.startsWith(".") &&
      last !== undefined &&
      ["mister", "missis", "miz", "doctor", "saint", "versus"].includes(last)
    )
      continue;
    if (part.includes("?")) close("question");
    else if (part.includes("!")) close("exclamation");
    else if (part.includes(".")) close("full");
    else close("pause");
  }
  close("full");
  return clauses;
}

/** Accents are dropped where a plain letter remains; symbols become words; anything else becomes a space. */
function plainLetters(text: string): string {
  return text
    .replace(/[‘’ʼ]/gu, "'")
    .replace(/[“”"«»]/gu, " ")
    .replace(/ß/gu, "ss")
    .replace(/æ/giu, "ae")
    .replace(/œ/giu, "oe")
    .replace(/ø/giu, "o")
    .replace(/[&@%+=#*/°½…]/gu, (symbol) => symbols[symbol] ?? " ")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{ASCII}—–£€]/gu, " ");
}

function toWords(part: string): string[] {
  const words: string[] = [];
  for (const token of part.trim().split(/[\s_-]+/u)) words.push(...tokenWords(token));
  return words;
}

function tokenWords(token: string): string[] {
  const money = /^([$£€])(\d[\d,]*)(?:\.(\d\d))?$/u.exec(token);
  if (money !== null) {
    const [, sign, whole = "", cents] = money;
    const unit = sign === "$" ? "dollar" : sign === "£" ? "pound" : "euro";
    const words = [...cardinalWords(whole.replaceAll(",", "")), whole === "1" ? unit : `${unit}s`];
    if (cents !== undefined && cents !== "00") words.push(...cardinalWords(String(Number(cents))));
    return words;
  }
  const time = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/u.exec(token);
  if (time !== null) {
    const [, hours = "", minutes = "", seconds] = time;
    const words = cardinalWords(String(Number(hours)));
    if (minutes === "00") words.push("o'clock");
    else words.push(...(minutes.startsWith("0") ? ["oh"] : []), ...cardinalWords(String(Number(minutes))));
    return seconds === undefined
      ? words
      : [...words, "and", ...cardinalWords(String(Number(seconds))), "seconds"];
  }
  const ordinal = /^(\d+)(?:st|nd|rd|th)$/iu.exec(token);
  if (ordinal !== null) return ordinalWords(ordinal[1]!);
  if (/^(?:1[1-9]|20)\d\d$/u.test(token)) return yearWords(token);
  const number = /^(-?)(\d[\d,]*)(?:\.(\d+))?$/u.exec(token);
  if (number !== null) {
    const [, minus, whole = "", fraction] = number;
    const words = [...(minus ? ["minus"] : []), ...cardinalWords(whole.replaceAll(",", ""))];
    return fraction === undefined ? words : [...words, "point", ...digitWords(fraction)];
  }
  // Mixed tokens fall apart into runs of letters and of digits.
  const runs = token.match(/[a-z']+|\d+/giu) ?? [];
  return runs.flatMap((run) => (/\d/u.test(run) ? cardinalWords(run) : letterRun(run)));
}

function letterRun(run: string): string[] {
  const word = run.toLowerCase().replace(/^'+|'+$/gu, "");
  if (word === "") return [];
  const expansion = abbreviations[word];
  if (expansion !== undefined) return expansion.split(" ");
  const isSpelled =
    (/^[A-Z]{2,5}$/u.test(run) && !/[AEIOUY]/u.test(run)) ||
    ["USA", "UK", "EU", "UDP", "API", "URL"].includes(run);
  const hasVowel = /[aeiouy]/u.test(word);
  return isSpelled || !hasVowel ? [`letters:${word.replaceAll("'", "")}`] : [word];
}
