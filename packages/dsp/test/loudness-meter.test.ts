// The signals of EBU Tech 3341 (version 4) and 3342 (version 4), synthesised from their descriptions.
import { LoudnessMeter } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const rate = 48_000;

/** Pushes a sine of 1 kHz: [level in dBFS of every channel, seconds] in turn, in pieces that fit no block. */
function pushTones(
  meter: LoudnessMeter,
  parts: readonly (readonly [readonly number[], number])[],
  onPiece: (seconds: number) => void = () => {},
): void {
  const channels = meter.channels;
  const piece = new Float32Array(977 * channels);
  let n = 0;
  for (const [levels, seconds] of parts) {
    const gains = levels.map((level) => 10 ** (level / 20));
    for (let left = Math.round(seconds * meter.sampleRate); left > 0; ) {
      const frames = Math.min(left, 977);
      for (let i = 0; i < frames; i++, n++) {
        const x = Math.sin((2 * Math.PI * 1000 * n) / meter.sampleRate);
        for (let channel = 0; channel < channels; channel++)
          piece[i * channels + channel] = gains[channel]! * x;
      }
      meter.push(piece.subarray(0, frames * channels));
      left -= frames;
      onPiece(n / meter.sampleRate);
    }
  }
}

const stereo = (level: number) => [level, level] as const;
const off = Number.NEGATIVE_INFINITY;

describe("EBU Tech 3341, loudness", () => {
  test.each([
    ["case 1", [[stereo(-23), 20]], -23],
    ["case 2", [[stereo(-33), 20]], -33],
    [
      "case 3",
      [
        [stereo(-36), 10],
        [stereo(-23), 60],
        [stereo(-36), 10],
      ],
      -23,
    ],
    [
      "case 4",
      [
        [stereo(-72), 10],
        [stereo(-36), 10],
        [stereo(-23), 60],
        [stereo(-36), 10],
        [stereo(-72), 10],
      ],
      -23,
    ],
    [
      "case 5",
      [
        [stereo(-26), 20],
        [stereo(-20), 20.1],
        [stereo(-26), 20],
      ],
      -23,
    ],
  ] as [string, [readonly number[], number][], number][])("%s: integrated %s", (_, parts, expected) => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
    pushTones(meter, parts);
    expect(Math.abs(meter.integrated() - expected)).toBeLessThan(0.1);
  });

  test("cases 1 and 2: momentary and short-term too", () => {
    for (const level of [-23, -33]) {
      const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
      pushTones(meter, [[stereo(level), 20]]);
      expect(Math.abs(meter.momentary() - level)).toBeLessThan(0.1);
      expect(Math.abs(meter.shortTerm() - level)).toBeLessThan(0.1);
    }
  });

  test("case 6: five channels", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 5 });
    pushTones(meter, [[[-28, -28, -24, -30, -30], 20]]);
    expect(Math.abs(meter.integrated() + 23)).toBeLessThan(0.1);
  });

  test("the low-frequency channel does not count", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 6 });
    pushTones(meter, [[[-28, -28, -24, 0, -30, -30], 20]]);
    expect(Math.abs(meter.integrated() + 23)).toBeLessThan(0.1);
  });

  test("case 9: short-term is constant over a pattern of 3 s", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
    const pattern = [
      [stereo(-20), 1.34],
      [stereo(-30), 1.66],
    ] as const;
    pushTones(meter, [...pattern, ...pattern, ...pattern, ...pattern, ...pattern], (seconds) => {
      if (seconds > 3.1) expect(Math.abs(meter.shortTerm() + 23)).toBeLessThan(0.1);
    });
  });

  test("case 10: the largest short-term value of a tone of 3 s, wherever it begins", () => {
    for (let file = 0; file < 20; file++) {
      const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
      pushTones(meter, [
        [stereo(off), file * 0.15],
        [stereo(-23), 3],
        [stereo(off), 1],
      ]);
      expect(Math.abs(meter.maxShortTerm() + 23), `file ${file}`).toBeLessThan(0.1);
    }
  });

  test("case 12: momentary is constant over a pattern of 400 ms", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
    const pattern = [
      [stereo(-20), 0.18],
      [stereo(-30), 0.22],
    ] as const;
    pushTones(meter, Array.from({ length: 25 }, () => pattern).flat(), (seconds) => {
      if (seconds > 1) expect(Math.abs(meter.momentary() + 23)).toBeLessThan(0.1);
    });
  });

  test("case 13: the largest momentary value of a tone of 400 ms, wherever it begins", () => {
    for (let file = 0; file < 20; file++) {
      const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
      pushTones(meter, [
        [stereo(off), file * 0.02],
        [stereo(-23), 0.4],
        [stereo(off), 1],
      ]);
      expect(Math.abs(meter.maxMomentary() + 23), `file ${file}`).toBeLessThan(0.1);
    }
  });

  test.each([8000, 11_025, 44_100, 96_000, 192_000])("case 1 at %i Hz", (sampleRate) => {
    const meter = new LoudnessMeter({ sampleRate, channels: 2 });
    pushTones(meter, [[stereo(-23), 5]]);
    expect(Math.abs(meter.integrated() + 23)).toBeLessThan(0.1);
  });
});

describe("EBU Tech 3341, true peak", () => {
  test.each([
    ["case 15", 4, 0, 0.5, -6],
    ["case 16", 4, 45, 0.5, -6],
    ["case 17", 6, 60, 0.5, -6],
    ["case 18", 8, 67.5, 0.5, -6],
    ["case 19", 4, 45, 1.41, 3],
  ])("%s: a sine of 1/%i of the rate, phase %d degrees", (_, divisor, degrees, amplitude, expected) => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 1 });
    // Faded in and out, so that no edge rings.
    const length = rate;
    const fade = (n: number) => Math.min(1, n / 2400, (length - n) / 2400);
    meter.push(
      Float32Array.from(
        { length },
        (_, n) => fade(n) * amplitude * Math.sin((2 * Math.PI * n) / divisor + (degrees * Math.PI) / 180),
      ),
    );
    meter.flush();
    expect(meter.truePeakDb()).toBeLessThan(expected + 0.2);
    expect(meter.truePeakDb()).toBeGreaterThan(expected - 0.4);
  });

  test("an inter-sample peak in the very last samples is seen after flush", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 1 });
    const samples = new Float32Array(1000);
    samples.set([1, 1], 998);
    meter.push(samples);
    meter.flush();
    expect(meter.truePeakDb()).toBeGreaterThan(1);
  });
});

describe("EBU Tech 3342, loudness range", () => {
  test.each([
    ["case 1", [-20, -30], 10],
    ["case 2", [-20, -15], 5],
    ["case 3", [-40, -20], 20],
    ["case 4", [-50, -35, -20, -35, -50], 15],
  ])("%s", (_, levels, expected) => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
    pushTones(
      meter,
      levels.map((level) => [stereo(level), 20] as const),
    );
    expect(Math.abs(meter.range() - expected)).toBeLessThan(1);
  });
});

describe("LoudnessMeter", () => {
  test("silence and nothing are minus infinity, with range 0", () => {
    const meter = new LoudnessMeter({ sampleRate: 8000, channels: 1 });
    for (let round = 0; round < 2; round++) {
      expect(meter.integrated()).toBe(off);
      expect(meter.momentary()).toBe(off);
      expect(meter.truePeakDb()).toBe(off);
      expect(meter.range()).toBe(0);
      meter.push(new Float32Array(80_000));
    }
  });

  test("samples that are not finite count as 0 and are counted", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 1 });
    const clean = new LoudnessMeter({ sampleRate: rate, channels: 1 });
    const samples = Float32Array.from({ length: rate * 2 }, (_, n) => Math.sin(n * 0.1));
    samples[500] = 0;
    clean.push(samples);
    samples[500] = Number.NaN;
    meter.push(samples);
    expect(meter.nonFiniteSamples).toBe(1);
    expect(meter.integrated()).toBe(clean.integrated());
    expect(meter.truePeakDb()).toBe(clean.truePeakDb());
    meter.push(new Float32Array(7).fill(Number.POSITIVE_INFINITY));
    expect(meter.nonFiniteSamples).toBe(8);
    expect(meter.integrated()).toBe(clean.integrated());
  });

  test("one-sample pushes give the same numbers", () => {
    const [whole, single] = [0, 1].map(() => new LoudnessMeter({ sampleRate: 8000, channels: 1 }));
    const samples = Float32Array.from({ length: 20_001 }, (_, n) => Math.sin(n * n * 1e-4));
    whole!.push(samples);
    for (let n = 0; n < samples.length; n++) single!.push(samples.subarray(n, n + 1));
    expect(single!.integrated()).toBeCloseTo(whole!.integrated(), 9);
    expect(single!.truePeakDb()).toBe(whole!.truePeakDb());
  });

  test("allocates nothing a push", () => {
    const meter = new LoudnessMeter({ sampleRate: rate, channels: 2 });
    const samples = Float32Array.from({ length: 240 }, (_, n) => Math.sin(n));
    const used = allocatedBytesPerCall(() => meter.push(samples));
    expect(used.heap).toBeLessThan(1);
  });

  test("refuses bad options and partial frames", () => {
    const bad = (code: string) => expect.objectContaining({ code });
    expect(() => new LoudnessMeter({ sampleRate: 100, channels: 1 })).toThrow(bad("dsp/bad-option"));
    expect(() => new LoudnessMeter({ sampleRate: rate, channels: 0 })).toThrow(bad("dsp/bad-option"));
    expect(() => new LoudnessMeter({ sampleRate: rate, channels: 2, channelWeights: [1] })).toThrow(
      bad("dsp/bad-option"),
    );
    expect(() => new LoudnessMeter({ sampleRate: rate, channels: 2 }).push(new Float32Array(3))).toThrow(
      bad("dsp/bad-length"),
    );
  });
});
