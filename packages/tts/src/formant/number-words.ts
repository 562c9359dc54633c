const ones = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
  "seventeen eighteen nineteen"
).split(" ");
const tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const scales = ["", "thousand", "million", "billion", "trillion"];
const irregularOrdinals: Readonly<Record<string, string>> = {
  one: "first",
  two: "second",
  three: "third",
  five: "fifth",
  eight: "eighth",
  nine: "ninth",
  twelve: "twelfth",
};

/** A whole number of up to 15 digits in English words; longer ones and those with leading zeros digit by digit. */
export function cardinalWords(digits: string): string[] {
  if (digits.length > 15 || (digits.length > 1 && digits.startsWith("0"))) return digitWords(digits);
  if (Number(digits) === 0) return ["zero"];
  const words: string[] = [];
  const groups = Math.ceil(digits.length / 3);
  const padded = digits.padStart(groups * 3, "0");
  for (let group = 0; group < groups; group++) {
    const value = Number(padded.slice(group * 3, group * 3 + 3));
    if (value === 0) continue;
    words.push(...hundredsWords(value));
    const scale = scales[groups - 1 - group];
    if (scale) words.push(scale);
  }
  return words;
}

/** "21" to "twenty first". */
export function ordinalWords(digits: string): string[] {
  const words = cardinalWords(digits);
  const last = words.pop() ?? "";
  const ordinal = irregularOrdinals[last] ?? (last.endsWith("y") ? `${last.slice(0, -1)}ieth` : `${last}th`);
  return [...words, ordinal];
}

/** Years such as 1984 and 2026 in pairs of digits, as they are read. */
export function yearWords(digits: string): string[] {
  const century = Number(digits.slice(0, 2));
  const rest = Number(digits.slice(2));
  if (century % 10 === 0 && rest < 10) return cardinalWords(digits);
  if (rest === 0) return [...cardinalWords(String(century)), "hundred"];
  return [...cardinalWords(String(century)), ...(rest < 10 ? ["oh"] : []), ...cardinalWords(String(rest))];
}

export function digitWords(digits: string): string[] {
  return [...digits].map((digit) => ones[Number(digit)] ?? "");
}

function hundredsWords(value: number): string[] {
  const words: string[] = [];
  if (value >= 100) words.push(ones[Math.floor(value / 100)]!, "hundred");
  const rest = value % 100;
  if (rest >= 20) {
    words.push(tens[Math.floor(rest / 10)]!);
    if (rest % 10 > 0) words.push(ones[rest % 10]!);
  } else if (rest > 0) words.push(ones[rest]!);
  return words;
}
