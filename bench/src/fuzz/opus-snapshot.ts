// npm run fuzz -- opus-snapshot 60s | --count N: mutated decoder states with their checksum made right. What is accepted
// must decode packets and losses without a trap; what is refused must leave the decoder as it was.
import { crc32c, SeededRandom } from "@longwave/base";
import { OpusDecoder } from "@longwave/opus";
import { Application, createEncoder, type EncoderOptions, Signal } from "libopus-wasm";
import { runFuzz } from "../fuzz-run.ts";

const voice = { application: Application.Voip, signal: Signal.Voice, channels: 2 } as const;
const plans: readonly (readonly [number, EncoderOptions])[] = [
  [2880, { ...voice, bitrate: 24000, fec: true, packetLossPercent: 30 }],
  [960, { ...voice, bitrate: 48000 }],
  [960, { application: Application.Audio, bitrate: 96000, channels: 2 }],
  [120, { application: Application.RestrictedLowDelay, bitrate: 96000, channels: 2 }],
];

const pcm = new Float32Array(5760 * 2);
const image = new Uint8Array(1 << 16);
const packets: Uint8Array[] = [];
const states: Uint8Array[] = [];
for (const [frameSize, options] of plans) {
  const encoder = await createEncoder({ ...options, sampleRate: 48000 });
  using decoder = new OpusDecoder();
  for (let i = 0; i < 12; i++) {
    const sound = Float32Array.from(
      { length: frameSize * 2 },
      (_, n) => (((n * (i + 3)) % 400) / 400 - 0.5) * 0.4,
    );
    const packet = encoder.encodeFloat(sound, { frameSize }).slice();
    packets.push(packet);
    decoder.decode(i % 5 === 4 ? null : packet, pcm);
    states.push(image.slice(0, decoder.snapshot(image, i % 2 === 0 ? "all" : "live")));
  }
  encoder.free();
}

const decoder = new OpusDecoder();
runFuzz(
  "opus-snapshot",
  {
    seeds: states,
    parse(mutated, round) {
      const random = new SeededRandom(round, 5);
      let bytes = mutated;
      if (random.below(8) !== 0) {
        // Mostly the structure stays whole, so that the fields behind it are reached; the scalars come first.
        bytes = states[round % states.length]!.slice();
        const reach = random.below(2) === 0 ? 256 : bytes.length - 4;
        for (let i = 1 + random.below(4); i > 0; i--) {
          const at = 22 + random.below(reach - 22);
          bytes[at] = random.below(2) === 0 ? random.below(256) : bytes[at]! ^ (1 << random.below(8));
        }
      }
      if (bytes.length >= 4) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        view.setUint32(bytes.length - 4, crc32c(bytes.subarray(0, bytes.length - 4)), true);
      }
      const before = crc32c(image.subarray(0, decoder.snapshot(image)));
      try {
        decoder.restore(bytes);
      } catch (error) {
        if (crc32c(image.subarray(0, decoder.snapshot(image))) !== before) {
          throw new Error("A refused snapshot changed the decoder.");
        }
        throw error;
      }
      for (let i = 0; i < 4; i++) {
        const packet = random.below(3) === 0 ? null : packets[random.below(packets.length)]!;
        if (packet !== null && random.below(4) === 0)
          decoder.decodeFec(packet, pcm, 960 * (1 + random.below(5)));
        else decoder.tryDecode(packet, pcm, packet === null ? 120 * (1 + random.below(24)) : undefined);
      }
      decoder.reset();
      return 0;
    },
  },
  process.argv.slice(2),
);
