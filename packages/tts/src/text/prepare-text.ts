import { TtsError } from "../errors.ts";
import {
  countWords,
  firstCharacter,
  isAlphanumeric,
  isUpperCase,
  lastCharacter,
  strip,
} from "./python-characters.ts";

/** The two settings of a model's configuration that change its text. */
export interface PrepareTextOptions {
  /** Put 8 spaces before texts of fewer than 5 words; default false. */
  readonly padWithSpacesForShortInputs?: boolean;
  /** Turn `;` into `,`; default false. */
  readonly removeSemicolons?: boolean;
}

/** Text in the shape the model was trained on. */
export interface PreparedText {
  readonly text: string;
  /** Frames to speak after the end of speech, before the 2 that generation adds: 3 up to 4 words, else 1. */
  readonly framesAfterEosGuess: number;
}

/**
 * Prepares text exactly as Pocket TTS 2.1 does: trim; line breaks to spaces; one pass of two spaces to one; a capital first;
 * a period last where the text ends in a letter or digit.
 * @throws TtsError `tts/empty-text` for empty or blank text
 */
export function prepareText(input: string, options: PrepareTextOptions = {}): PreparedText {
  let text = strip(input);
  if (text === "") throw new TtsError("tts/empty-text", "There is no text to speak.");
  text = text.replaceAll("\n", " ").replaceAll("\r", " ").replaceAll("  ", " ");
  if (options.removeSemicolons) text = text.replaceAll(";", ",");
  const framesAfterEosGuess = countWords(text) <= 4 ? 3 : 1;
  const first = firstCharacter(text);
  if (!isUpperCase(first)) text = first.toUpperCase() + text.slice(first.length);
  if (isAlphanumeric(lastCharacter(text))) text += ".";
  if (options.padWithSpacesForShortInputs && countWords(text) < 5) text = " ".repeat(8) + text;
  return { text, framesAfterEosGuess };
}

/** Longest text in UTF-8 bytes that is spoken unless an option says otherwise. */
export const defaultMaxTextBytes = 65_536;

/**
 * Plain clean-up for every engine: trims and turns line endings into `\n`; control characters other than tab and line feed
 * become spaces.
 * @throws TtsError `tts/empty-text`, `tts/text-too-long`
 */
export function normalizeText(input: string, maxTextBytes: number = defaultMaxTextBytes): string {
  // A UTF-16 unit is at most 3 bytes of UTF-8: only texts near the limit are measured exactly.
  if (input.length > maxTextBytes || (input.length * 3 > maxTextBytes && utf8Length(input) > maxTextBytes)) {
    throw new TtsError(
      "tts/text-too-long",
      `The text has ${utf8Length(input)} bytes, the limit is ${maxTextBytes}; split it or raise the limit.`,
    );
  }
  const text = strip(input.replace(/\r\n?/g, "\n").replace(controlCharacters, " "));
  if (text === "") throw new TtsError("tts/empty-text", "There is no text to speak.");
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const controlCharacters = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}
