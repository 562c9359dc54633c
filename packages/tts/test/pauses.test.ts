import { describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import { Tts } from "../src/engine/tts.ts";
import { FormantEngine } from "../src/formant/formant-engine.ts";
import { joinShort } from "../src/text/join-short.ts";
import { splitAtPauses } from "../src/text/pauses.ts";

describe("pauses in a text", () => {
  test.each([
    ["plain text", [{ text: "plain text" }]],
    ["a [pause:500] b", [{ text: "a" }, { pauseMs: 500 }, { text: "b" }]],
    ["a[pause:500ms]b[pause 1.5s]", [{ text: "a" }, { pauseMs: 500 }, { text: "b" }, { pauseMs: 1500 }]],
    ['<break time="2s"/>a<break/>', [{ pauseMs: 2000 }, { text: "a" }, { pauseMs: 500 }]],
    ["a [PAUSE:0] b", [{ text: "a" }, { pauseMs: 0 }, { text: "b" }]],
    ["a [pause] [pause:x] <breaking> b", [{ text: "a [pause] [pause:x] <breaking> b" }]],
  ])("%j", (text, parts) => {
    expect(splitAtPauses(text)).toEqual(parts);
  });

  test("are refused where they are too long or all there is", () => {
    const code = (value: string) => expect.objectContaining({ code: value });
    expect(() => splitAtPauses("a [pause:10001]")).toThrow(code("tts/option-invalid"));
    expect(() => splitAtPauses("a [pause 999999s]")).toThrow(code("tts/option-invalid"));
    expect(splitAtPauses(`a${"[pause:10s]".repeat(6)}`)).toHaveLength(7);
    expect(() => splitAtPauses(`a${"[pause:10s]".repeat(7)}`)).toThrow(code("tts/option-invalid"));
    expect(() => splitAtPauses("[pause:5]")).toThrow(code("tts/empty-text"));
  });

  test("are silence of their length between the words, and only where they are wanted", async () => {
    const tts = new Tts({ engines: [new FormantEngine()] });
    const length = async (text: string, pauses: boolean) =>
      (await concatenate(tts.speak(text, { pauses }))).length;
    const one = await length("Hello.", true);
    const two = await length("There.", true);
    expect(await length("Hello. [pause:250ms] There.", true)).toBe(one + two + 0.25 * 24_000);
    expect(await length("Hello. [pause:250ms] There.", false)).not.toBe(one + two + 0.25 * 24_000);
  });
});

test("pieces of one or two words join a neighbour; words and order stay", () => {
  expect(joinShort(["Yes.", "That is it.", "No.", "We go home now.", "Bye bye."])).toEqual([
    "Yes. That is it. No.",
    "We go home now. Bye bye.",
  ]);
  expect(joinShort(["One two three.", "Four five six."])).toEqual(["One two three.", "Four five six."]);
  expect(joinShort(["Hi."])).toEqual(["Hi."]);
});
