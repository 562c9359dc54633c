import { OpusDecoder, OpusEncoder, softClip } from "@longwave/opus";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { expect, test } from "vitest";

const loud = (frames: number, channels: number) =>
  Float32Array.from({ length: frames * channels }, (_, i) => 1.7 * Math.sin(i / (11 + 6 * (i % channels))));

test("brings everything within +-1, leaves quiet sound alone, and keeps the sign", () => {
  for (const channels of [1, 2]) {
    const pcm = loud(12_000, channels);
    const before = pcm.slice();
    softClip(pcm, channels, new Float32Array(channels));
    expect(Math.max(...pcm.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(pcm.every((value, i) => Math.sign(value) === Math.sign(before[i]!))).toBe(true);
    const quiet = before.map((value) => value / 2);
    const same = quiet.slice();
    softClip(quiet, channels, new Float32Array(channels));
    expect(quiet).toEqual(same);
  }
});

test("is what the decoder does before it rounds to 16 bits, over packets", () => {
  using encoder = new OpusEncoder({ channels: 2, bitrateBps: 256_000, application: "lowdelay" });
  using floats = new OpusDecoder({ channels: 2 });
  using integers = new OpusDecoder({ channels: 2 });
  const packet = new Uint8Array(1276);
  const pcm = new Float32Array(1920);
  const expected = new Int16Array(1920);
  const memory = new Float32Array(2);
  let clipped = 0;
  for (let block = 0; block < 40; block++) {
    const bytes = encoder.encode(
      Float32Array.from({ length: 1920 }, (_, i) => 1.4 * Math.sin((block * 960 + (i >> 1)) / 40)),
      packet,
    );
    floats.decode(packet.slice(0, bytes), pcm);
    integers.decodeInt16(packet.slice(0, bytes), expected);
    clipped += pcm.filter((value) => Math.abs(value) > 1).length;
    softClip(pcm, 2, memory);
    for (let i = 0; i < 1920; i++) expect(Math.abs(pcm[i]! * 32_768 - expected[i]!)).toBeLessThanOrEqual(1);
  }
  expect(clipped).toBeGreaterThan(1000);
});

test("refuses other shapes and allocates nothing", () => {
  expect(() => softClip(new Float32Array(4), 3, new Float32Array(3))).toThrow(/1 or 2 channels/);
  expect(() => softClip(new Float32Array(3), 2, new Float32Array(2))).toThrow(/whole sample frames/);
  const pcm = loud(120, 2);
  const memory = new Float32Array(2);
  expect(allocatedBytesPerCall(() => softClip(pcm, 2, memory)).heap).toBeLessThan(1);
});
