import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { OpusMultistreamDecoder, OpusMultistreamEncoder } from "../../src/index.ts";
import { encodeFixture, inputDigest, type MultistreamFixture, outputDigest } from "./multistream-run.ts";
import { multichannelSignal } from "./multistream-signal.ts";

const { fixtures } = JSON.parse(
  readFileSync(fileURLToPath(new URL("../fixtures/multistream-libopus-1.6.1.json", import.meta.url)), "utf8"),
) as { fixtures: readonly MultistreamFixture[] };
const titled = fixtures.map((fixture) => {
  const { family, channels, rateHz, frameMs, bitrateBps, application } = fixture;
  const rate = bitrateBps === 0 ? "auto" : `${bitrateBps / 1000}k`;
  return [
    `family ${family}, ${channels} ch, ${rateHz} Hz, ${frameMs} ms, ${rate}, ${application}`,
    fixture,
  ] as const;
});

describe("OpusMultistreamEncoder", () => {
  test.each(titled)("makes the packets and final ranges of libopus 1.6.1: %s", (_, fixture) => {
    expect(inputDigest(fixture)).toBe(fixture.input);
    expect(outputDigest(fixture)).toEqual({ packets: fixture.packets, output: fixture.output });
  });

  test.each(titled.filter((_, i) => i % 4 === 3))("our decoder ends at the same range: %s", (_, fixture) => {
    using layout = new OpusMultistreamEncoder({ channels: fixture.channels, family: fixture.family });
    const { demixingMatrix } = layout;
    using decoder = new OpusMultistreamDecoder({
      sampleRate: fixture.rateHz,
      channels: fixture.channels,
      streams: layout.streams,
      coupled: layout.coupled,
      mapping: layout.mapping,
      ...(demixingMatrix && { demixingMatrix }),
    });
    const frames = (fixture.rateHz * fixture.frameMs) / 1000;
    const pcm = new Float32Array(frames * fixture.channels);
    encodeFixture(fixture, (packet, encoder) => {
      expect(decoder.decode(packet, pcm)).toBe(frames);
      expect(decoder.finalRange).toBe(encoder.finalRange);
      expect(pcm.every(Number.isFinite)).toBe(true);
    });
  });

  test("a restored encoder goes on with the same bytes, also within surround analysis", () => {
    const options = { channels: 6, family: 1, bitrateBps: 200_000 } as const;
    using encoder = new OpusMultistreamEncoder(options);
    using other = new OpusMultistreamEncoder({ ...options, bitrateBps: 64_000 });
    const pcm = multichannelSignal(48000, 6, 0.2);
    const packet = new Uint8Array(8000);
    const again = new Uint8Array(8000);
    const snapshot = new Uint8Array(encoder.snapshotBytes);
    for (let i = 0; i < 4; i++) encoder.encodeInt16(pcm.subarray(i * 5760, (i + 1) * 5760), packet);
    encoder.snapshot(snapshot);
    other.restore(snapshot);
    for (let i = 4; i < 9; i++) {
      const piece = pcm.subarray(i * 5760, (i + 1) * 5760);
      const bytes = encoder.encodeInt16(piece, packet);
      expect(other.encodeInt16(piece, again)).toBe(bytes);
      expect(Buffer.compare(again.subarray(0, bytes), packet.subarray(0, bytes))).toBe(0);
    }
    using twin = encoder.clone();
    const bytes = encoder.encodeInt16(pcm.subarray(0, 5760), packet);
    expect(twin.encodeInt16(pcm.subarray(0, 5760), again)).toBe(bytes);
    snapshot[snapshot.length >> 1]! ^= 1;
    expect(() => other.restore(snapshot)).toThrow(expect.objectContaining({ code: "opus/bad-snapshot" }));
  });

  test.each([
    [{ channels: 9, family: 1 }, "opus/bad-argument", /9 channels; give 1 to 8/],
    [{ channels: 3, family: 0 }, "opus/bad-argument", /give 1 or 2/],
    [{ channels: 5, family: 2 }, "opus/bad-argument", /5 channels/],
    [{ channels: 2, family: 3 }, "opus/bad-argument", /family 3 has no 2 channels/],
    [{ channels: 49, family: 3 }, "opus/bad-argument", /order 1 to 5/],
    [{ channels: 0, family: 255 }, "opus/bad-argument", /channels is 0; give 1 to 255/],
    [{ channels: 2, family: 7 }, "opus/unimplemented", /family 7/],
    [{ streams: 1, coupled: 1, mapping: Uint8Array.of(0, 0) }, "opus/bad-argument", /stream channel 1/],
    [{ streams: 1, coupled: 0, mapping: Uint8Array.of(3) }, "opus/bad-argument", /stream channel 3 of 1/],
    [{ streams: 1, coupled: 2, mapping: Uint8Array.of(0, 1) }, "opus/bad-argument", /do not go together/],
  ])("refuses %o", (options, code, message) => {
    const make = () => new OpusMultistreamEncoder(options as never);
    expect(make).toThrow(expect.objectContaining({ code }));
    expect(make).toThrow(message);
  });

  test("stays usable after input and buffers that do not fit", () => {
    using encoder = new OpusMultistreamEncoder({ channels: 6, family: 1 });
    const packet = new Uint8Array(8000);
    expect(() => encoder.encode(new Float32Array(961 * 6), packet)).toThrow(/961 frames/);
    expect(() => encoder.encode(new Float32Array(100), packet)).toThrow(/packet holds/);
    expect(() => encoder.encode(new Float32Array(960 * 6), new Uint8Array(6))).toThrow(/at least 7/);
    expect(() => encoder.stream(4)).toThrow(/Stream 4 does not exist; there are 4/);
    expect(encoder.encode(new Float32Array(960 * 6), packet)).toBeGreaterThan(6);
    encoder.close();
    expect(() => encoder.encode(new Float32Array(960 * 6), packet)).toThrow(
      expect.objectContaining({ code: "opus/closed" }),
    );
  });

  test("allocates nothing per packet", () => {
    using encoder = new OpusMultistreamEncoder({ channels: 3, family: 1, complexity: 0, sampleRate: 8000 });
    const pcm = multichannelSignal(8000, 3, 0.0025);
    const packet = new Uint8Array(4000);
    const { heap, external } = allocatedBytesPerCall(() => encoder.encodeInt16(pcm, packet));
    expect(heap).toBeLessThan(1);
    expect(external).toBe(0);
  });
});
