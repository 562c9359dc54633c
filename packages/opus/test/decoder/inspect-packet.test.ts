import { describe, expect, test } from "vitest";
import { inspectPacket, OpusDecoder } from "../../src/index.ts";
import { encodePlan, streamPlans } from "./oracle-streams.ts";

const named = (start: string) => streamPlans.find((plan) => plan.name.startsWith(start))!;

describe("the trace of a packet", () => {
  test("SILK stereo with redundancy: flags, channels and indices within the standard's ranges", async () => {
    const packets = await encodePlan(named("SILK wideband stereo 60"), 1.2);
    using decoder = new OpusDecoder();
    const pcm = new Float32Array(5760 * 2);
    let redundant = 0;
    let voiced = 0;
    for (const packet of packets) {
      const trace = inspectPacket(packet, decoder);
      decoder.decode(packet, pcm);
      expect(trace).toMatchObject({ mode: "silk", bandwidth: "wb", channels: 2, frameMs: 60, frameCount: 1 });
      expect(trace.finalRange).toBe(decoder.finalRange);
      const silk = trace.frames.filter((frame) => frame.kind === "silk");
      const mids = silk.filter((frame) => !frame.redundant && frame.channel === "mid");
      expect(mids.map(({ frame }) => frame)).toEqual([0, 1, 2]);
      for (const frame of silk) {
        expect(frame.gainIndices.length).toBe(4);
        expect(frame.nlsfIndices.length).toBe(17);
        expect(frame.nlsfIndices[0]).toBeLessThan(32);
        expect(frame.seed).toBeLessThan(4);
        expect(frame.ltpIndices.length).toBe(frame.signalType === "voiced" ? 4 : 0);
        if (frame.redundant) redundant++;
        if (frame.signalType === "voiced") voiced++;
      }
    }
    expect(redundant).toBeGreaterThan(0);
    expect(voiced).toBeGreaterThan(5);
  });

  test("CELT: one record per frame, bits within the packet", async () => {
    const packets = await encodePlan(named("CELT fullband stereo 20"), 0.4);
    for (const packet of packets) {
      const { frames } = inspectPacket(packet);
      expect(frames.length).toBe(1);
      const [frame] = frames;
      if (frame?.kind !== "celt") throw new Error("no CELT frame");
      expect(frame).toMatchObject({ frameMs: 20, channels: 2, startBand: 0, endBand: 21 });
      const bits = frame.shapeBits.reduce((sum, value) => sum + value, 0) / 8;
      expect(bits).toBeLessThan(8 * packet.length);
      expect(bits).toBeGreaterThan(2 * packet.length);
      expect(frame.logEnergies.flat().every(Number.isFinite)).toBe(true);
      expect(frame.shapeBits.slice(frame.codedBands).every((value) => value === 0)).toBe(true);
    }
  });

  test("hybrid: SILK first, then CELT from band 17", async () => {
    const packets = await encodePlan(named("hybrid fullband stereo"), 0.4);
    const { frames } = inspectPacket(packets[3]!);
    expect(frames[0]?.kind).toBe("silk");
    expect(frames.at(-1)).toMatchObject({ kind: "celt", startBand: 17, endBand: 21 });
  });
});

test("the decoder that is passed in stays as it was", async () => {
  const packets = await encodePlan(named("SILK narrowband mono 20"), 0.3);
  using decoder = new OpusDecoder();
  const image = new Uint8Array(decoder.snapshotBytes);
  decoder.decode(packets[0]!, new Float32Array(5760 * 2));
  const before = image.slice(0, decoder.snapshot(image));
  inspectPacket(packets[1]!, decoder);
  expect(image.slice(0, decoder.snapshot(image))).toEqual(before);
});

test("what is no packet is refused", () => {
  expect(() => inspectPacket(Uint8Array.of(0xff))).toThrow(/no Opus packet/);
});
