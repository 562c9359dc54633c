import { MemoryStore } from "@longwave/base";
import { beforeAll, describe, expect, test } from "vitest";
import { Catalog } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const [first, second, stranger] = [melody(1, 12), melody(2, 12), melody(3, 12)];
const cut = (samples: Float32Array, seconds: number) =>
  samples.slice(seconds * sampleRate, (seconds + 5) * sampleRate);
const stereo = (left: Float32Array, right: Float32Array) =>
  Float32Array.from({ length: 2 * left.length }, (_, i) => (i % 2 === 0 ? left : right)[i >> 1]!);

describe("several channels", () => {
  let catalog: Catalog;
  const ask = (samples: Float32Array, layout: "each" | "mid-side") =>
    catalog.identify({ samples, sampleRate, channels: 2 }, { layout });

  beforeAll(async () => {
    catalog = await Catalog.open(new MemoryStore());
    await catalog.enroll({ id: "first" }, { samples: first, sampleRate });
    await catalog.enroll({ id: "second" }, { samples: second, sampleRate });
  });

  test("one recording in each channel: both are found, on one timeline", async () => {
    const answer = await ask(stereo(cut(first, 2), cut(second, 4)), "each");
    expect(answer.lanes?.map(({ name, match }) => `${name}: ${match?.track.id}`)).toEqual([
      "channel 1: first",
      "channel 2: second",
    ]);
    const offsets = answer.lanes!.map(({ match }) => match!.offsetMs);
    expect(Math.abs(offsets[0]! - 2000)).toBeLessThan(20);
    expect(Math.abs(offsets[1]! - 4000)).toBeLessThan(20);
    expect(answer.match).toBeDefined();
  });

  test("a recording beside silence and beside a stranger", async () => {
    const silence = new Float32Array(5 * sampleRate);
    const beside = await ask(stereo(silence, cut(second, 3)), "each");
    expect(beside.match?.track.id).toBe("second");
    expect(beside.lanes?.[0]).toMatchObject({ match: undefined, reason: "silence" });
    const strange = await ask(stereo(cut(stranger, 3), cut(first, 3)), "each");
    expect(strange.lanes?.map(({ match }) => match?.track.id)).toEqual([undefined, "first"]);
  });

  test("a recording at the sides of a louder voice in the middle", async () => {
    const voice = cut(stranger, 1).map((value) => 3 * value);
    const music = cut(first, 5);
    const left = voice.map((value, i) => value + music[i]!);
    const right = voice.map((value, i) => value - music[i]!);
    const answer = await ask(stereo(left, right), "mid-side");
    expect(answer.lanes?.map(({ name, match }) => `${name}: ${match?.track.id}`)).toEqual([
      "mid: undefined",
      "side: first",
    ]);
    expect(answer.match?.pFalse).toBe(answer.lanes?.[1]?.match?.pFalse);
  });

  test("mid and side of three channels is an error that says what to do", async () => {
    const asked = catalog.identify(
      { samples: new Float32Array(30_000), sampleRate, channels: 3 },
      { layout: "mid-side" },
    );
    await expect(asked).rejects.toMatchObject({
      code: "fp/channels",
      message: expect.stringMatching(/look at each/),
    });
  });
});
