import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sharedPath } from "../../../testkit/src/index.ts";
import { prepareText } from "../src/text/prepare-text.ts";
import { SentencePieceTokenizer } from "../src/text/sentencepiece-tokenizer.ts";
import { splitIntoChunks } from "../src/text/split-into-chunks.ts";

interface TextCase {
  readonly in: string;
  readonly pad: boolean;
  readonly remove_semicolons: boolean;
  readonly prepared: string;
  readonly frames_after_eos_guess: number;
  readonly ids_raw: number[];
  readonly ids_prepared: number[];
  readonly chunks: Record<string, string[]>;
  readonly max_gen_len: number;
}

for (const set of ["tiny", "tinynobos"]) {
  const folder = sharedPath(`data/tts/${set}`);
  describe.skipIf(folder === undefined)(`text goldens of data/tts/${set}`, () => {
    const golden =
      folder === undefined ? undefined : JSON.parse(readFileSync(`${folder}/golden.json`, "utf8"));
    const tokenizer =
      folder === undefined
        ? undefined
        : new SentencePieceTokenizer(readFileSync(`${folder}/tokenizer.model`));

    test("every text is prepared, tokenised and split as by the reference", () => {
      const cases = golden.text as TextCase[];
      expect(cases.length).toBe(46);
      for (const each of cases) {
        const options = { padWithSpacesForShortInputs: each.pad, removeSemicolons: each.remove_semicolons };
        const prepared = prepareText(each.in, options);
        expect(prepared.text).toBe(each.prepared);
        expect(prepared.framesAfterEosGuess).toBe(each.frames_after_eos_guess);
        expect(tokenizer!.encode(each.in)).toEqual(each.ids_raw);
        expect(tokenizer!.encode(each.prepared)).toEqual(each.ids_prepared);
        for (const [limit, chunks] of Object.entries(each.chunks)) {
          expect(splitIntoChunks(tokenizer!, each.in, Number(limit), options)).toEqual(chunks);
        }
      }
    });

    test("ids decode to the reference's text", () => {
      for (const { ids, text } of golden.decode) expect(tokenizer!.decode(ids)).toBe(text);
      expect(tokenizer!.encode(".!...?")).toEqual(golden.boundary_tokens.eos);
      expect(tokenizer!.encode(",;:")).toEqual(golden.boundary_tokens.fallback);
    });
  });
}
