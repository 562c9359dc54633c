import { describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import { toClauses } from "../src/formant/english-words.ts";
import { FormantEngine } from "../src/formant/formant-engine.ts";
import { pronounce } from "../src/formant/letter-to-sound.ts";

const engine = new FormantEngine();
const say = (text: string, voice = "formant", seed = 0) => concatenate(engine.speak({ text, voice, seed }));

function rms(pcm: Float32Array): number {
  return Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length);
}

/** Strongest frequency between two limits, by correlation with sines in steps of 10 Hz. */
function strongestHz(pcm: Float32Array, lowHz: number, highHz: number): number {
  let best = 0;
  let bestPower = -1;
  for (let hz = lowHz; hz <= highHz; hz += 10) {
    let re = 0;
    let im = 0;
    for (let i = 0; i < pcm.length; i++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / pcm.length);
      re += pcm[i]! * window * Math.cos((2 * Math.PI * hz * i) / 24_000);
      im += pcm[i]! * window * Math.sin((2 * Math.PI * hz * i) / 24_000);
    }
    if (re * re + im * im > bestPower) {
      bestPower = re * re + im * im;
      best = hz;
    }
  }
  return best;
}

describe("the formant engine", () => {
  test("speaks audibly and never clips", async () => {
    const pcm = await say("Hello world.");
    expect(pcm.length / 24_000).toBeGreaterThan(0.7);
    expect(pcm.length / 24_000).toBeLessThan(3);
    expect(rms(pcm)).toBeGreaterThan(0.05);
    expect(pcm.every((x) => Math.abs(x) < 1)).toBe(true);
  });

  test("gives the same samples for the same seed and others for another", async () => {
    const first = await say("The same again.", "formant", 3);
    expect(await say("The same again.", "formant", 3)).toEqual(first);
    expect(await say("The same again.", "formant", 4)).not.toEqual(first);
  });

  test("says different vowels with different formants", async () => {
    // The middle of a long vowel: second formant high in "ee", low in "oo"; the harmonics are about 110 Hz apart.
    const middle = (pcm: Float32Array) => pcm.slice(pcm.length * 0.2, pcm.length * 0.35);
    const ee = strongestHz(middle(await say("E.")), 1500, 3200);
    const oo = strongestHz(middle(await say("Oo.")), 600, 3200);
    expect(ee).toBeGreaterThan(1800);
    expect(oo).toBeLessThan(1500);
  });

  test("a question ends higher than a statement", async () => {
    const ending = (pcm: Float32Array) => pcm.slice(pcm.length - 24_000 * 0.45, pcm.length - 24_000 * 0.33);
    const asked = strongestHz(ending(await say("Really no?")), 60, 160);
    const said = strongestHz(ending(await say("Really no.")), 60, 160);
    expect(asked).toBeGreaterThan(said * 1.2);
  });

  test.each(["?!", "🙂", "...", "日本語", "'"])(
    "text without a word, %s, is a short silence",
    async (text) => {
      const pcm = await say(text);
      expect(pcm.length).toBeGreaterThan(0);
      expect(rms(pcm)).toBeLessThan(1e-3);
    },
  );

  test("an unknown voice is named in the error", async () => {
    await expect(say("x", "nobody")).rejects.toMatchObject({ code: "tts/voice-unknown" });
  });

  test("an abort ends it at the next block", async () => {
    const abort = new AbortController();
    let blocks = 0;
    await expect(async () => {
      for await (const _ of engine.speak({ text: "One two three four five.", signal: abort.signal })) {
        if (++blocks === 3) abort.abort(new Error("enough"));
      }
    }).rejects.toThrow("enough");
    expect(blocks).toBe(3);
  });
});

test.each([
  ["cat", "K AE T"],
  ["making", "M EY K IH NG"],
  ["station", "S T EY SH AX N"],
  ["phone", "F OW N"],
  ["night", "N AY T"],
  ["church", "CH ER CH"],
  ["quiz", "K W IH Z"],
  ["boxes", "B AA K S IH Z"],
  ["nation", "N EY SH AX N"],
  ["walked", "W AO K T"],
])("%s is pronounced %s", (word, phonemes) => {
  expect(pronounce(word).join(" ")).toBe(phonemes);
});

test.each([
  ["It is 12:30.", "it is twelve thirty"],
  ["$5.20 or £1", "five dollars twenty or one pound"],
  ["1984, 2026 and 2000", "nineteen eighty four | twenty twenty six and two thousand"],
  ["the 21st of 1,234", "the twenty first of one thousand two hundred thirty four"],
  ["3.14 is pi", "three point one four is pi"],
  ["Dr. Smith met Mr. Jones", "doctor smith met mister jones"],
  ["50% & more", "fifty percent and more"],
  ["naïve café", "naive cafe"],
  ["the BBC", "the letters:bbc"],
])("%s is read as %s", (text, words) => {
  expect(
    toClauses(text)
      .map((clause) => clause.words.join(" "))
      .join(" | "),
  ).toBe(words);
});
