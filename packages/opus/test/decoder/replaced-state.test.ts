import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import { OpusDecoder } from "../../src/index.ts";

const pcm = new Float32Array(5760 * 2);
const room = new Uint8Array(1 << 16);

async function packetsOf(name: string): Promise<{ channels: 1 | 2; packets: Uint8Array[] }> {
  const kind = streamKinds.find((each) => each.name === name)!;
  const items = await opusStream(kind, 2);
  return {
    channels: kind.channels,
    packets: items.flatMap((item) => (item.type === "packet" ? [item.data] : [])),
  };
}

const liveState = (decoder: OpusDecoder) => Buffer.from(room.slice(0, decoder.snapshot(room, "live")));

describe.each(["SILK organ", "SILK speech wide band", "SILK speech stereo", "SILK 60 ms with FEC"])(
  "%s",
  (name) => {
    test("a state without what the next packet replaces leads to the same state behind it, and is mostly zeros", async () => {
      const { channels, packets } = await packetsOf(name);
      using sequential = new OpusDecoder({ channels });
      using other = new OpusDecoder({ channels });
      using third = new OpusDecoder({ channels });
      let wrong = 0;
      let shorter = 0;
      for (const [i, packet] of packets.entries()) {
        const before = liveState(sequential);
        sequential.decode(packet, pcm);
        if (i < 10) continue;
        const reach = sequential.historyReach;
        other.restore(before);
        other.forgetReplaced(reach);
        const lean = liveState(other);
        expect(lean.length).toBe(before.length);
        const zeros = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
        if (zeros(lean) > zeros(before) + 60) shorter++;
        // As an archive has it: nothing but the bytes.
        third.restore(lean);
        third.decode(packet, pcm);
        if (!liveState(third).equals(liveState(sequential))) wrong++;
      }
      expect(wrong).toBe(0);
      expect(shorter).toBeGreaterThan(0.9 * (packets.length - 10));
    });
  },
);

test("less history than the packet reaches back to does not lead there", async () => {
  const { channels, packets } = await packetsOf("SILK organ");
  using sequential = new OpusDecoder({ channels });
  using other = new OpusDecoder({ channels });
  let wrong = 0;
  for (const packet of packets.slice(0, 60)) {
    const before = liveState(sequential);
    sequential.decode(packet, pcm);
    const reach = sequential.historyReach;
    if (reach < 32) continue;
    other.restore(before);
    other.forgetReplaced(reach - 16);
    other.decode(packet, pcm);
    if (!liveState(other).equals(liveState(sequential))) wrong++;
  }
  expect(wrong).toBeGreaterThan(30);
});

test("a decoder of CELT keeps all it has, and any reach is taken", async () => {
  const { channels, packets } = await packetsOf("CELT 160k constant rate");
  using decoder = new OpusDecoder({ channels });
  for (const packet of packets.slice(0, 20)) decoder.decode(packet, pcm);
  const before = liveState(decoder);
  for (const reach of [0, -5, 1e9, Number.NaN]) decoder.forgetReplaced(reach);
  expect(liveState(decoder)).toEqual(before);
});
