// The reference's tests of characters are Python's, by code point; these are the same sets.

/** White space as `str.isspace` has it: U+0085 and U+001C–U+001F are, U+FEFF is not (unlike `String.prototype.trim`). */
const space = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const leadingOrTrailing = new RegExp(`^${space}+|${space}+$`, "gu");
const wordPattern = new RegExp(`(?:(?!${space})[^])+`, "gu");

/** `str.strip()`. */
export function strip(text: string): string {
  return text.replace(leadingOrTrailing, "");
}

/** `len(str.split())`: runs of anything but white space. */
export function countWords(text: string): number {
  return text.match(wordPattern)?.length ?? 0;
}

/** `str.isalnum()` of one code point. */
export function isAlphanumeric(character: string): boolean {
  return /^[\p{L}\p{N}]$/u.test(character);
}

/** `str.isupper()` of one code point. */
export function isUpperCase(character: string): boolean {
  return /^\p{Uppercase}$/u.test(character);
}

/** The text's first code point, empty for an empty text. */
export function firstCharacter(text: string): string {
  const code = text.codePointAt(0);
  return code === undefined ? "" : String.fromCodePoint(code);
}

/** The text's last code point, empty for an empty text. */
export function lastCharacter(text: string): string {
  const isPair = /[\ud800-\udbff][\udc00-\udfff]$/.test(text);
  return text.slice(isPair ? -2 : -1);
}
