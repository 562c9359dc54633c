// Images of an encoder's state with words changed behind a right checksum: refused, or harmless.
import { describe, expect, test } from "vitest";
import { OpusCore, OpusEncoder, type OpusEncoderOptions, type OpusError } from "../../src/index.ts";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";
import { syntheticMusic } from "./synthetic-music.ts";

/** FNV-1a, as the image's last word has it. */
function seal(image: Uint8Array): void {
  let hash = 0x811c9dc5;
  for (let i = 0; i < image.length - 4; i++) hash = Math.imul(hash ^ image[i]!, 0x01000193);
  new DataView(image.buffer).setUint32(image.length - 4, hash >>> 0, true);
}

function randomWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

const forms: readonly OpusEncoderOptions[] = [
  {
    sampleRate: 16000,
    channels: 1,
    application: "voip",
    bitrateBps: 16000,
    inbandFec: 1,
    packetLossPercent: 15,
  },
  { sampleRate: 48000, channels: 2, application: "audio", bitrateBps: 96000, complexity: 10 },
  { sampleRate: 48000, channels: 2, application: "voip", bitrateBps: 40000, signal: "voice", dtx: true },
];
const values = [
  0, 1, -1, 2, 31, 255, 1000, 65536, 0x7fffffff, -0x80000000, 0x7fc00000, 0x7f800000, 0x4b000000,
];

describe.each(forms)("an image of %o", (options) => {
  const rate = options.sampleRate!;
  const channels = options.channels!;
  const pcm = (options.application === "audio" ? syntheticMusic : syntheticSpeech)(rate, channels, 1);
  const samples = (rate / 50) * channels;
  const piece = (index: number) => pcm.subarray((index % 50) * samples, ((index % 50) + 1) * samples);

  test("is accepted as it is after every packet", () => {
    using encoder = new OpusEncoder(options);
    using other = new OpusEncoder(options);
    const packet = new Uint8Array(1275);
    const again = new Uint8Array(1275);
    const image = new Uint8Array(encoder.snapshotBytes);
    for (let i = 0; i < 40; i++) {
      const bytes = encoder.encodeInt16(piece(i), packet);
      if (i > 0) {
        expect(other.encodeInt16(piece(i), again)).toBe(bytes);
        expect(again.subarray(0, bytes)).toEqual(packet.subarray(0, bytes));
      }
      encoder.snapshot(image);
      other.restore(image);
    }
  });

  test("with changed words is refused, or encodes on without harm to its neighbours", () => {
    const core = OpusCore.create({ memoryMiB: 4 });
    using victim = new OpusEncoder({ ...options, core });
    using target = new OpusEncoder({ ...options, core });
    using neighbour = new OpusEncoder({ ...options, core });
    using reference = new OpusEncoder(options);
    const packet = new Uint8Array(1275);
    const expected = new Uint8Array(1275);
    for (let i = 0; i < 12; i++) victim.encodeInt16(piece(i), packet);
    const image = new Uint8Array(victim.snapshotBytes);
    victim.snapshot(image);
    const next = randomWords(rate + channels);
    let refused = 0;
    let accepted = 0;
    for (let round = 0; round < 500; round++) {
      const changed = image.slice();
      const view = new DataView(changed.buffer);
      // Half of the changes hit the scalars at the start of the parts.
      for (let k = 0; k <= round % 3; k++) {
        const at = 28 + ((next() % (round & 1 ? 4000 : changed.length - 36)) & ~3);
        const value = round % 5 === 0 ? next() | 0 : values[next() % values.length]!;
        view.setInt32(at, value, true);
      }
      seal(changed);
      try {
        target.restore(changed);
        accepted++;
      } catch (error) {
        expect((error as OpusError).code).toBe("opus/bad-snapshot");
        refused++;
        continue;
      }
      for (let i = 12; i < 15; i++) {
        const bytes = target.encodeInt16(piece(i), packet);
        expect(bytes).toBeGreaterThan(0);
        expect(bytes).toBeLessThanOrEqual(1275);
      }
    }
    expect(refused).toBeGreaterThan(50);
    expect(accepted).toBeGreaterThan(20);
    for (let i = 0; i < 6; i++) {
      const bytes = neighbour.encodeInt16(piece(i), packet);
      expect(reference.encodeInt16(piece(i), expected)).toBe(bytes);
      expect(packet.subarray(0, bytes)).toEqual(expected.subarray(0, bytes));
    }
  });
});
