import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { createSeekableDecoder, OpusDecoder, OpusMultistreamDecoder } from "../../src/index.ts";
import { encodePlan, streamPlans } from "./oracle-streams.ts";

const named = (start: string) => streamPlans.find((plan) => plan.name.startsWith(start))!;
const celt = await encodePlan(named("CELT fullband stereo 5 ms"), 0.4);
const silk = await encodePlan(named("SILK wideband stereo 60 ms"), 0.7);
const float = new Float32Array(5760 * 2);
const short = new Int16Array(5760 * 2);
/** For calls that take long. */
const fewer = { warmupCalls: 1500, calls: 1500 };

function expectNothing(call: () => void, counts: { warmupCalls?: number; calls?: number } = {}): void {
  const { heap, external } = allocatedBytesPerCall(call, counts);
  expect(heap).toBeLessThan(1);
  expect(external).toBe(0);
}

describe("no call allocates", () => {
  test("decode to float and 16 bit", () => {
    using decoder = new OpusDecoder();
    let turn = 0;
    expectNothing(() => {
      decoder.decode(celt[turn++ % celt.length]!, float);
    });
    expectNothing(() => {
      decoder.decodeInt16(celt[turn++ % celt.length]!, short);
    });
  });

  test("decodeAt", () => {
    using decoder = new OpusDecoder();
    const buffer = new Uint8Array(2000);
    buffer.set(celt[3]!, 10);
    const length = celt[3]!.length;
    expectNothing(() => {
      decoder.decodeAt(buffer, 10, length, float, 4, 960);
    });
  });

  test("concealment, redundancy, reset", () => {
    using decoder = new OpusDecoder();
    expectNothing(() => {
      decoder.decode(celt[1]!, float);
      decoder.decode(null, float);
      decoder.decode(silk[1]!, float);
      decoder.decodeFec(silk[2]!, float, 2880);
      decoder.reset();
    }, fewer);
  });

  test("snapshot, restore, digest", () => {
    const decoder = createSeekableDecoder({ channels: 2, gainQ8: 0 }, "opus-1");
    const state = new Uint8Array(decoder.maxStateBytes);
    const digest = new Uint32Array(4);
    decoder.decode(celt[0]!, float);
    const image = state.subarray(0, decoder.saveState(state, "all"));
    expectNothing(() => {
      decoder.decode(celt[1]!, float);
      decoder.saveState(state, "all");
      decoder.liveStateDigest(digest);
      decoder.loadState(image);
    }, fewer);
    decoder.close();
  });

  test("following without output", () => {
    using decoder = new OpusDecoder();
    let turn = 0;
    expectNothing(() => {
      decoder.follow(silk[turn++ % silk.length]!);
    });
  });

  test("forgetting what the next packet replaces", () => {
    const decoder = createSeekableDecoder({ channels: 2, gainQ8: 0 }, "opus-1");
    let turn = 0;
    expectNothing(() => {
      decoder.decode(silk[turn++ % silk.length]!, float);
      decoder.forgetReplaced?.(decoder.historyReach?.() ?? 0);
    }, fewer);
    decoder.close();
  });

  test("multistream decode", () => {
    using decoder = new OpusMultistreamDecoder({
      channels: 2,
      streams: 1,
      coupled: 1,
      mapping: Uint8Array.of(0, 1),
    });
    let turn = 0;
    expectNothing(() => {
      decoder.decode(celt[turn++ % celt.length]!, float);
    });
    expectNothing(() => {
      decoder.decodeInt16(celt[turn++ % celt.length]!, short);
    });
  });

  test("multistream decode through a matrix", () => {
    using decoder = new OpusMultistreamDecoder({
      channels: 2,
      streams: 1,
      coupled: 1,
      mapping: Uint8Array.of(0, 1),
      demixingMatrix: Int16Array.of(16_384, 8192, -4096, 30_000),
    });
    let turn = 0;
    expectNothing(() => {
      decoder.decode(celt[turn++ % celt.length]!, float);
    }, fewer);
    expectNothing(() => {
      decoder.decodeInt16(celt[turn++ % celt.length]!, short);
    }, fewer);
  });
});
