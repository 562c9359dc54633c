import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { classifySound, SoundClassifier, type SoundSpan } from "../src/index.ts";

const sampleRate = 8000;
const seconds = 8;

function noise(seed: number, level: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: seconds * sampleRate }, () => level * (random.next() - 0.5));
}

/** Chords that last half a second and more. */
function chords(): Float32Array {
  const out = noise(1, 0.002);
  for (let i = 0; i < out.length; i++) {
    const chord = Math.floor(i / 6000);
    const t = (i % 6000) / sampleRate;
    for (const step of [0, 4, 7, 12]) {
      const frequency = 196 * 2 ** ((step + ((5 * chord) % 12)) / 12);
      for (let h = 1; h <= 5; h++) {
        out[i]! += ((0.06 * Math.exp(-1.5 * t)) / h) * Math.sin(2 * Math.PI * frequency * h * t);
      }
    }
  }
  return out;
}

/** Something like speech: four syllables a second, each a hiss and a gliding buzz under changing resonances, and pauses. */
function syllables(): Float32Array {
  const random = new SeededRandom(2);
  const out = noise(3, 0.001);
  let phase = 0;
  let [low, band] = [0, 0];
  for (let start = 0; start + 2000 <= out.length; start += 2000) {
    if (random.next() < 0.15) continue;
    const pitch = 100 + 60 * random.next();
    const resonance = 400 + 1800 * random.next();
    for (let i = 0; i < 1700; i++) {
      const shape = Math.sin((Math.PI * i) / 1700) ** 2;
      phase += (pitch * (1 - i / 6000)) / sampleRate;
      const source = i < 400 ? random.next() - 0.5 : (phase % 1) - 0.5;
      const f = 2 * Math.sin((Math.PI * (resonance + i / 4)) / sampleRate);
      low += f * band;
      band += f * (source - low - 0.2 * band);
      out[start + i]! += 0.2 * shape * band;
    }
  }
  return out;
}

const classesOf = (samples: Float32Array, rate = sampleRate) =>
  classifySound(samples, { sampleRate: rate }).map((span) => span.class);

describe("classes of sound", () => {
  test.each([
    ["music", chords()],
    ["speech", syllables()],
    ["noise", noise(4, 0.3)],
    ["silence", noise(5, 1e-4)],
    ["silence", new Float32Array(seconds * sampleRate)],
  ] as const)("%s is told from the others", (expected, samples) => {
    expect(classesOf(samples)).toEqual([expected]);
  });

  test("a stream of one after the other, to the second", () => {
    const samples = new Float32Array(3 * seconds * sampleRate);
    [chords(), new Float32Array(0), syllables()].forEach((part, i) => {
      samples.set(part, i * seconds * sampleRate);
    });
    const spans = classifySound(samples, { sampleRate });
    expect(spans[0]!.start).toBe(0);
    expect(spans.at(-1)!.end).toBe(3 * seconds);
    for (const [i, expected] of (["music", "silence", "speech"] as const).entries()) {
      const middle = (i + 0.5) * seconds;
      const span = spans.find(({ start, end }) => start <= middle && middle < end)!;
      expect(span.class).toBe(expected);
      expect(span.start).toBeLessThan(i * seconds + 2);
      expect(span.end).toBeGreaterThan((i + 1) * seconds - 2);
    }
  });

  test("the same spans for every cut of the stream; what is not finite counts as 0", () => {
    const samples = syllables();
    samples[500] = Number.NaN;
    const whole: SoundSpan[] = [];
    const one = new SoundClassifier({ sampleRate: 16_000 });
    one.push(samples, (span) => whole.push(span));
    one.flush((span) => whole.push(span));
    expect(whole.length).toBeGreaterThan(4);
    const pieces: SoundSpan[] = [];
    for (let at = 0; at < samples.length; at += 777) {
      one.push(samples, (span) => pieces.push(span), at, Math.min(samples.length, at + 777));
    }
    one.flush((span) => pieces.push(span));
    expect(pieces).toEqual(whole);
  });

  test("too little has no class; a wrong rate is an error", () => {
    expect(classesOf(new Float32Array(1000))).toEqual([]);
    expect(() => new SoundClassifier({ sampleRate: 100 })).toThrow(
      expect.objectContaining({ code: "fp/rate" }),
    );
  });
});
