// What an encoder refuses: a typed error that names the value and the range; afterwards it encodes as if nothing had been.
import { describe, expect, test } from "vitest";
import { OpusDecoder, OpusEncoder, type OpusEncoderOptions, OpusError } from "../../src/index.ts";
import { syntheticMusic } from "./synthetic-music.ts";

const sound = Float32Array.from(syntheticMusic(48000, 2, 0.1), (value) => value / 32768);
const piece = (index: number) => sound.subarray(index * 1920, (index + 1) * 1920);

function refusal(call: () => unknown): OpusError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(OpusError);
    return error as OpusError;
  }
  throw new Error("Nothing was refused.");
}

const wrongOptions: readonly (readonly [string, unknown, RegExp])[] = [
  ["sampleRate", 44100, /44100.*8000, 12000, 16000, 24000 or 48000/],
  ["channels", 3, /3; give 1 or 2/],
  ["application", "music", /music; give one of voip, audio, lowdelay, silk, celt/],
  ["bitrateBps", 0, /0; give bits per second above 0/],
  ["bitrateBps", Number.NaN, /NaN; give bits per second above 0/],
  ["complexity", 11, /11; give a whole number from 0 to 10/],
  ["complexity", 2.5, /2\.5; give a whole number from 0 to 10/],
  ["signal", "noise", /noise; give one of auto, voice, music/],
  ["bandwidth", "xb", /xb; give one of auto, nb, mb, wb, swb, fb/],
  ["maxBandwidth", "auto", /auto; give one of nb, mb, wb, swb, fb/],
  ["forceChannels", 3, /3; give one of auto, 1, 2/],
  ["forceMode", "mp3", /mp3; give one of auto, silk, hybrid, celt/],
  ["inbandFec", 3, /3; give a whole number from 0 to 2/],
  ["packetLossPercent", 101, /101; give a whole number from 0 to 100/],
  ["lsbDepth", 7, /7; give a whole number from 8 to 24/],
  ["vbr", "no", /no; give true or false/],
  ["vbrConstraint", 1, /1; give true or false/],
  ["dtx", "off", /off; give true or false/],
  ["predictionDisabled", 0, /0; give true or false/],
  ["phaseInversionDisabled", null, /null; give true or false/],
  ["frameDuration", 30, /30; give one of .*2\.5, 5, 10, 20, 40, 60, 80, 100, 120/],
];

describe("an option out of its range", () => {
  test.each(wrongOptions)("%s = %s is refused by the constructor", (name, value, message) => {
    const error = refusal(() => new OpusEncoder({ [name]: value } as OpusEncoderOptions));
    expect(error).toMatchObject({ code: "opus/bad-argument", kind: "usage", libopusCode: -1 });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(name);
  });

  test.each(wrongOptions.filter(([name]) => !["sampleRate", "channels", "application"].includes(name)))(
    "%s = %s is refused by the property, and the next packet is the same as without it",
    (name, value, message) => {
      using encoder = new OpusEncoder();
      using untouched = new OpusEncoder();
      const packet = new Uint8Array(1275);
      const expected = new Uint8Array(1275);
      encoder.encode(piece(0), packet);
      untouched.encode(piece(0), expected);
      expect(refusal(() => Object.assign(encoder, { [name]: value })).message).toMatch(message);
      expect(encoder.encode(piece(1), packet)).toBe(untouched.encode(piece(1), expected));
      expect(packet).toEqual(expected);
    },
  );
});

describe("input and output that do not fit", () => {
  const detached = new Float32Array(1920);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const goneBytes = new Uint8Array(1275);
  structuredClone(goneBytes.buffer, { transfer: [goneBytes.buffer] });
  const packet = new Uint8Array(1275);

  test.each([
    ["a frame of no legal length", () => new Float32Array(961 * 2), packet, /961 frames.*120, 240, 480, 960/],
    ["half a sample frame", () => new Float32Array(1921), packet, /960\.5 frames/],
    ["nothing", () => new Float32Array(0), packet, /0 frames/],
    ["more than 120 ms", () => new Float32Array(5761 * 2), packet, /5761 frames/],
    ["a detached input", () => detached, packet, /detached/],
    ["a detached packet buffer", () => piece(2), goneBytes, /detached/],
    ["a packet buffer without room", () => piece(2), new Uint8Array(0), /0 bytes; give at least/],
  ] as const)("%s is refused, and the encoder goes on", (_, pcm, into, message) => {
    using encoder = new OpusEncoder();
    using untouched = new OpusEncoder();
    const expected = new Uint8Array(1275);
    encoder.encode(piece(0), packet);
    untouched.encode(piece(0), expected);
    const error = refusal(() => encoder.encode(pcm(), into));
    expect(error.kind).toBe("usage");
    expect(error.message).toMatch(message);
    expect(encoder.encode(piece(1), packet)).toBe(untouched.encode(piece(1), expected));
    expect(packet).toEqual(expected);
  });

  test("ranges of encodeAt outside their buffers are refused", () => {
    using encoder = new OpusEncoder();
    const cases: readonly (readonly [number, number, number, number])[] = [
      [-1, 960, 0, 1275],
      [sound.length - 1919, 960, 0, 1275],
      [0, 961, 0, 1275],
      [0.5, 960, 0, 1275],
      [0, 960, 1, 1275],
      [0, 960, -1, 100],
      [0, 960, 0.5, 100],
      [0, 960, 0, 0],
    ];
    for (const [at, frames, packetAt, room] of cases) {
      expect(refusal(() => encoder.encodeAt(sound, at, frames, packet, packetAt, room)).kind).toBe("usage");
    }
    expect(encoder.encodeAt(sound, 0, 960, packet, 0, 1275)).toBeGreaterThan(10);
  });

  test("every use after close is refused; closing again is not", () => {
    const encoder = new OpusEncoder();
    encoder.close();
    encoder.close();
    const uses = [
      () => encoder.encode(piece(0), packet),
      () => encoder.encodeInt16(new Int16Array(1920), packet),
      () => encoder.encodeInt24(new Int32Array(1920), packet),
      () => encoder.encodeAt(sound, 0, 960, packet, 0, 1275),
      () => encoder.complexity,
      () => Object.assign(encoder, { complexity: 5 }),
      () => encoder.snapshot(new Uint8Array(1 << 17)),
      () => encoder.reset(),
      () => encoder.clone(),
    ];
    for (const use of uses) expect(refusal(use)).toMatchObject({ code: "opus/closed", kind: "usage" });
  });
});

describe("samples that no codec can hold", () => {
  const bad: readonly (readonly [string, (i: number) => number])[] = [
    ["NaN everywhere", () => Number.NaN],
    ["one NaN", (i) => (i === 77 ? Number.NaN : sound[i]!)],
    ["infinities", (i) => (i % 2 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)],
    ["full scale times a million", (i) => (i % 60 < 30 ? 1e6 : -1e6)],
    ["clipping", (i) => (i % 60 < 30 ? 100 : -100)],
    ["denormals", (i) => sound[i]! * 1e-40],
    ["silence", () => 0],
  ];

  test.each(bad)("%s: packets decode to finite sound, also afterwards", (_, value) => {
    for (const application of ["voip", "audio", "lowdelay"] as const) {
      using encoder = new OpusEncoder({ application, bitrateBps: 48000 });
      using decoder = new OpusDecoder();
      const packet = new Uint8Array(1275);
      const out = new Float32Array(1920);
      for (let i = 0; i < 5; i++) {
        const input =
          i === 1 || i === 2 ? Float32Array.from({ length: 1920 }, (_unused, at) => value(at)) : piece(i);
        const bytes = encoder.encode(input, packet);
        expect(bytes).toBeGreaterThan(0);
        expect(bytes).toBeLessThanOrEqual(1275);
        expect(decoder.decode(packet.subarray(0, bytes), out)).toBe(960);
        expect(decoder.finalRange).toBe(encoder.finalRange);
        expect(out.every(Number.isFinite)).toBe(true);
      }
    }
  });

  test("NaN gives the packets of silence once the filters have run out", () => {
    using ofNaN = new OpusEncoder({ application: "lowdelay" });
    using ofSilence = new OpusEncoder({ application: "lowdelay" });
    const packet = new Uint8Array(1275);
    const expected = new Uint8Array(1275);
    for (let i = 0; i < 3; i++) {
      const bytes = ofNaN.encode(new Float32Array(1920).fill(Number.NaN), packet);
      expect(ofSilence.encode(new Float32Array(1920), expected)).toBe(bytes);
      expect(packet.subarray(0, bytes)).toEqual(expected.subarray(0, bytes));
    }
  });
});
