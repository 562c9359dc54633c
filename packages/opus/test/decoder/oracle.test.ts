// Every mode against the oracle, bit for bit: sound, concealment, redundancy, integer output, all rates.
import { createDecoder, type SampleRate } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { OpusDecoder } from "../../src/index.ts";
import { encodePlan, encodeSwitching, lossPattern, modeOf, streamPlans } from "./oracle-streams.ts";

const seconds = 0.6;

function firstDifference(ours: ArrayLike<number>, count: number, oracle: ArrayLike<number>): number {
  if (count !== oracle.length) return Math.min(count, oracle.length);
  for (let i = 0; i < count; i++) if (!Object.is(ours[i]! + 0, oracle[i]! + 0)) return i;
  return -1;
}

/** Decodes with both and lists the packets that differ. */
async function compare(
  packets: readonly Uint8Array[],
  sampleRate: SampleRate,
  channels: 1 | 2,
  losses: readonly boolean[],
): Promise<string[]> {
  using ours = new OpusDecoder({ sampleRate, channels });
  const oracle = await createDecoder({ sampleRate, channels, maxFrameSize: (sampleRate * 60) / 1000 });
  const pcm = new Float32Array((sampleRate * 120 * channels) / 1000);
  const wrong: string[] = [];
  for (const [index, packet] of packets.entries()) {
    let frames: number;
    let expected: Float32Array;
    let what = "packet";
    if (!losses[index]) {
      frames = ours.decode(packet, pcm);
      expected = oracle.decodeFloat(packet);
    } else if (index % 2 === 0 && index + 1 < packets.length) {
      const next = packets[index + 1]!;
      what = "redundancy";
      const frameSize = ours.lastPacketFrames || sampleRate / 50;
      frames = ours.decodeFec(next, pcm, frameSize);
      expected = oracle.decodeFloat(next, { decodeFec: true, frameSize });
    } else {
      what = "concealment";
      const frameSize = ours.lastPacketFrames || sampleRate / 50;
      frames = ours.decode(null, pcm, frameSize);
      expected = oracle.decodePacketLossFloat(frameSize);
    }
    const at = firstDifference(pcm, frames * channels, expected);
    if (at >= 0) wrong.push(`${what} ${index}: sample ${at}`);
  }
  oracle.free();
  return wrong;
}

describe("float output equals the oracle's in every bit", () => {
  test.each(streamPlans)("$name", async (plan) => {
    const packets = await encodePlan(plan, seconds);
    expect(packets.some((packet) => modeOf(packet) === plan.mode)).toBe(true);
    expect(await compare(packets, 48000, plan.channels, [])).toEqual([]);
  });

  test.each(streamPlans)("$name with losses and redundancy", async (plan) => {
    const packets = await encodePlan(plan, seconds, 2);
    const losses = lossPattern(packets.length, 0.25, 77);
    expect(losses.includes(true)).toBe(true);
    expect(await compare(packets, 48000, plan.channels, losses)).toEqual([]);
  });

  test.each([
    [48000, 1],
    [24000, 2],
    [16000, 1],
    [12000, 2],
    [8000, 1],
  ] as const)(
    "switching modes at %i Hz with %i channels, with and without losses",
    async (rate, channels) => {
      const packets = await encodeSwitching(0.5);
      expect(new Set(packets.map(modeOf)).size).toBe(3);
      expect(await compare(packets, rate, channels, [])).toEqual([]);
      expect(await compare(packets, rate, channels, lossPattern(packets.length, 0.2, 5))).toEqual([]);
    },
  );
});

test("16-bit output equals the oracle's, soft clip included", async () => {
  const packets = await encodePlan(
    streamPlans.find((plan) => plan.name.startsWith("CELT fullband stereo 20"))!,
    0.6,
  );
  using ours = new OpusDecoder({ gainQ8: 18 * 256 });
  const oracle = await createDecoder({ sampleRate: 48000, channels: 2 });
  oracle.decoderCtl(4034, 18 * 256);
  const pcm = new Int16Array(5760 * 2);
  const wrong: string[] = [];
  let clipped = 0;
  for (const [index, packet] of packets.entries()) {
    const frames = ours.decodeInt16(packet, pcm);
    const expected = oracle.decode(packet);
    const at = firstDifference(pcm, frames * 2, expected);
    if (at >= 0) wrong.push(`packet ${index}: sample ${at}`);
    clipped += expected.filter((value) => Math.abs(value) > 32000).length;
  }
  oracle.free();
  expect(clipped).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

test("phase inversion off gives what the oracle gives", async () => {
  const plan = streamPlans.find((each) => each.name.startsWith("CELT narrowband stereo"))!;
  const packets = await encodePlan(plan, 0.6);
  using ours = new OpusDecoder({ phaseInversionDisabled: true });
  const oracle = await createDecoder({ sampleRate: 48000, channels: 2 });
  oracle.decoderCtl(4046, 1);
  const pcm = new Float32Array(5760 * 2);
  for (const packet of packets) {
    const frames = ours.decode(packet, pcm);
    expect(firstDifference(pcm, frames * 2, oracle.decodeFloat(packet))).toBe(-1);
  }
  oracle.free();
});
