import { describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import { finish } from "../src/audio/finish.ts";
import { streamingWavHeader, toReferenceInt16 } from "../src/audio/reference-wav.ts";
import { Tts } from "../src/engine/tts.ts";
import { FormantEngine } from "../src/formant/formant-engine.ts";
import { chunkBySentence } from "../src/text/chunk-by-sentence.ts";
import { normalizeText } from "../src/text/prepare-text.ts";

const open = () => new Tts({ engines: [new FormantEngine()] });

describe("a Tts", () => {
  test("says which engine and voice speak, and at what rate", () => {
    const speech = open().speak("Hello.", { seed: 7 });
    expect([speech.engine, speech.voice, speech.sampleRate]).toEqual(["formant", "formant", 24_000]);
  });

  test("speaks sentence by sentence where asked", async () => {
    const tts = open();
    const whole = await concatenate(tts.speak("One. Two."));
    const parts = await concatenate(tts.speak("One. Two.", { chunk: true }));
    expect(parts.length).toBeGreaterThan(whole.length);
  });

  test.each([
    ["", {}, "tts/empty-text"],
    [" \n\t ", {}, "tts/empty-text"],
    ["x", { voice: "formnat" }, "tts/voice-unknown"],
    ["x", { engine: "sam" }, "tts/engine-unknown"],
    ["x", { seed: -1 }, "tts/option-invalid"],
    ["x".repeat(70_000), {}, "tts/text-too-long"],
  ])("refuses %.10s %o with %s", (text, options, code) => {
    expect(() => open().speak(text, options)).toThrow(expect.objectContaining({ code }));
  });

  test("names the voice that was probably meant", () => {
    expect(() => open().speak("x", { voice: "formant-brihgt" })).toThrow(/did you mean formant-bright/);
  });

  test("speaks no more once closed", async () => {
    const tts = open();
    await tts.close();
    expect(() => tts.speak("x")).toThrow(expect.objectContaining({ code: "tts/closed" }));
  });
});

test.each([
  ["  a \r\n b\r", "a \n b"],
  ["a\u0000b\u0007c", "a b c"],
  ["\u0085x\u001c", "x"],
])("normalises %j to %j", (text, clean) => {
  expect(normalizeText(text)).toBe(clean);
});

test("the byte limit counts UTF-8", () => {
  expect(normalizeText("é".repeat(50), 100)).toHaveLength(50);
  expect(() => normalizeText("é".repeat(51), 100)).toThrow(
    expect.objectContaining({ code: "tts/text-too-long" }),
  );
});

test("sentences are packed up to the limit and cut at spaces beyond it", () => {
  expect(chunkBySentence("One. Two! Three?")).toEqual(["One.", "Two!", "Three?"]);
  expect(chunkBySentence("One. Two! Three?", 9)).toEqual(["One. Two!", "Three?"]);
  expect(chunkBySentence("alpha beta gamma", 10)).toEqual(["alpha beta", "gamma"]);
  expect(chunkBySentence("a".repeat(25), 10)).toEqual(["a".repeat(10), "a".repeat(10), "a".repeat(5)]);
});

describe("finishing", () => {
  test("removes a constant part and keeps the tone", () => {
    const pcm = Float32Array.from({ length: 24_000 }, (_, i) => 0.3 + 0.2 * Math.sin(i * 0.2));
    finish(pcm, 24_000, { dcBlock: true });
    const tail = pcm.subarray(12_000);
    expect(Math.abs(tail.reduce((a, b) => a + b, 0) / tail.length)).toBeLessThan(1e-3);
    expect(Math.max(...tail)).toBeCloseTo(0.2, 2);
  });

  test("normalises the peak, leaves silence alone, fades both ends", () => {
    const pcm = new Float32Array(1000).fill(0.25);
    finish(pcm, 1000, { normalize: true, fadeInMs: 100, fadeOutMs: 100 });
    expect([pcm[0], pcm[50], pcm[500], pcm[949], pcm[999]]).toEqual([0, 0.5, 1, 0.5, 0]);
    const silent = new Float32Array(10);
    finish(silent, 1000, { normalize: true, fadeInMs: 1e9 });
    expect(silent.every((x) => x === 0)).toBe(true);
    expect(() => finish(silent, 1000, { fadeInMs: -1 })).toThrow(
      expect.objectContaining({ code: "tts/option-invalid" }),
    );
  });
});

test("the streaming header claims 1e9 frames and samples are truncated", () => {
  const view = new DataView(streamingWavHeader().buffer);
  expect(view.getUint32(4, true)).toBe(2_000_000_036);
  expect(view.getUint32(40, true)).toBe(2_000_000_000);
  const bytes = toReferenceInt16(Float32Array.of(0.99999, -0.00005, 2, Number.NaN, -1));
  expect([...new Int16Array(bytes.buffer)]).toEqual([32766, -1, 32767, 0, -32767]);
});
