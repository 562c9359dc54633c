import { isLongwaveError, SeededRandom } from "@longwave/base";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import { OpusDecoder } from "../../src/index.ts";

const kind = streamKinds.find((each) => each.name === "pauses with DTX")!;
const packets = (await opusStream(kind, 12)).flatMap((item) => (item.type === "packet" ? [item.data] : []));
const pcm = new Float32Array(5760);
const room = new Uint8Array(1 << 16);

const isSent = (packet: Uint8Array) => packet.length > 2;
/** Voice activity is the first bit of a SILK frame. */
const isInactive = (packet: Uint8Array) => isSent(packet) && packet[1]! < 0x80;

function stateOf(decoder: OpusDecoder): string {
  const digest = new Uint32Array(4);
  decoder.wholeStateDigest(digest);
  return digest.join();
}

function lastingOf(decoder: OpusDecoder, withExcitation = false): Uint8Array {
  return room.slice(0, decoder.lastingState(room, withExcitation));
}

/** Packets sent in a pause with comfort noise before them, and what the sequential decoder is in front of each. */
const places: { index: number; lasting: Uint8Array; withNoise: Uint8Array }[] = [];
const states: string[] = [];
{
  using sequential = new OpusDecoder({ channels: 1 });
  for (const [index, packet] of packets.entries()) {
    if (index > 150 && index < packets.length - 8 && isInactive(packet) && !isSent(packets[index - 1]!))
      places.push({ index, lasting: lastingOf(sequential), withNoise: lastingOf(sequential, true) });
    sequential.decode(packet, pcm);
    states.push(stateOf(sequential));
  }
}

/** Packets from `index` on until the decoder has come to the sequential one's whole state; undefined = not within eight. */
function arrivesAfter(decoder: OpusDecoder, index: number): number | undefined {
  for (let i = index; i < index + 8; i++) {
    decoder.decode(packets[i]!, pcm);
    if (stateOf(decoder) === states[i]) return i + 1 - index;
  }
  return undefined;
}

/** A fresh decoder behind the last `count` inactive packets in front of `index`. */
function gathered(index: number, count: number): OpusDecoder {
  const decoder = new OpusDecoder({ channels: 1 });
  const inactive = packets.slice(0, index).filter(isInactive);
  for (const packet of inactive.slice(-count)) decoder.decode(packet, pcm);
  return decoder;
}

describe("what no run-up brings back", () => {
  test("leads a decoder to the whole state within a few packets of a pause, behind three of its packets", () => {
    expect(places.length).toBeGreaterThan(5);
    for (const { index, lasting } of places) {
      expect(lasting.length).toBeLessThan(60);
      using decoder = gathered(index, 3);
      decoder.takeLastingState(lasting);
      expect(arrivesAfter(decoder, index)).toBeLessThan(5);
    }
  });

  test("is needed: without it the same packets do not lead there", () => {
    for (const { index } of places) {
      using decoder = gathered(index, 3);
      expect(arrivesAfter(decoder, index)).toBeUndefined();
    }
  });

  test("leads a fresh decoder there, too, where it has the excitation of the noise", () => {
    for (const { index, lasting, withNoise } of places) {
      using fresh = new OpusDecoder({ channels: 1 });
      fresh.takeLastingState(withNoise);
      expect(arrivesAfter(fresh, index)).toBeLessThan(8);
      using without = new OpusDecoder({ channels: 1 });
      without.takeLastingState(lasting);
      expect(arrivesAfter(without, index)).toBeUndefined();
    }
  });

  test("comes back as it was given", () => {
    for (const { lasting, withNoise } of places) {
      using decoder = new OpusDecoder({ channels: 1 });
      // Nothing is told of SILK before it has decoded.
      expect(decoder.lastingState(room)).toBe(0);
      decoder.decode(packets[0]!, pcm);
      decoder.takeLastingState(withNoise);
      expect(lastingOf(decoder, true)).toEqual(withNoise);
      expect(lastingOf(decoder)).toEqual(lasting);
    }
  });

  test("of many values is told as it is", () => {
    using decoder = new OpusDecoder({ channels: 1 });
    decoder.decode(packets[0]!, pcm);
    const { withNoise } = places[0]!;
    const head = lastingOf(decoder).length;
    const raw = new Uint8Array(head + 1 + 1280);
    raw.set(withNoise.subarray(0, head));
    const random = new SeededRandom(4);
    for (let i = head + 1; i < raw.length; i++) raw[i] = random.below(256);
    decoder.takeLastingState(raw);
    expect(lastingOf(decoder, true)).toEqual(raw);
  });

  test("is refused where it cannot be, and then nothing has changed; what is taken is safe to decode with", () => {
    const random = new SeededRandom(11);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const { index, lasting, withNoise } = places[random.below(places.length)]!;
      const bytes = Uint8Array.from(random.below(2) === 0 ? lasting : withNoise);
      for (let i = random.below(4); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
      const cut = bytes.subarray(0, random.below(3) === 0 ? random.below(bytes.length) : bytes.length);
      using decoder = gathered(index, 1);
      const before = stateOf(decoder);
      try {
        decoder.takeLastingState(cut);
      } catch (error) {
        if (!isLongwaveError(error)) throw error;
        expect([error.code, stateOf(decoder)]).toEqual(["opus/bad-snapshot", before]);
        refused++;
        continue;
      }
      for (let i = index; i < index + 4; i++) decoder.decode(packets[i]!, pcm);
      expect(pcm.every(Number.isFinite)).toBe(true);
    }
    expect(refused).toBeGreaterThan(1000);
  });
});
