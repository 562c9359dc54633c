// npm run fuzz -- opus-decode 60s | --count 1000000 [--seed N]: mutated packets through our decoder and libopus, one state
// each that lives through the whole run: same verdict, same samples, finite sound.
import { SeededRandom } from "@longwave/base";
import { OpusDecoder, OpusError, type SampleRate } from "@longwave/opus";
import {
  Application,
  Bandwidth,
  createDecoder,
  createEncoder,
  type EncoderOptions,
  OpusError as LibopusError,
  type OpusDecoderHandle,
  Signal,
} from "libopus-wasm";
import { runFuzz } from "../fuzz-run.ts";
import { readVector, vectorFolder, vectorNames } from "../opus-vectors.ts";

const forms: readonly (readonly [SampleRate, 1 | 2])[] = [
  [48000, 2],
  [48000, 1],
  [24000, 2],
  [16000, 1],
  [12000, 2],
  [8000, 1],
];

interface Pair {
  readonly ours: OpusDecoder;
  readonly oracle: OpusDecoderHandle;
  readonly sampleRate: number;
  readonly channels: number;
}

const pairs: Pair[] = [];
for (const [sampleRate, channels] of forms) {
  pairs.push({
    ours: new OpusDecoder({ sampleRate, channels }),
    oracle: await createDecoder({ sampleRate, channels, maxFrameSize: (sampleRate * 120) / 1000 }),
    sampleRate,
    channels,
  });
}

/** Valid packets of all modes: of the conformance vectors where they are there, and of libopus' encoder. */
async function seeds(): Promise<Uint8Array[]> {
  const packets: Uint8Array[] = [];
  if (vectorFolder !== undefined) {
    for (const name of vectorNames) {
      const all = readVector(name);
      for (let i = 0; i < all.length; i += 67) packets.push(all[i]!.packet);
    }
  }
  const voice = { application: Application.Voip, signal: Signal.Voice };
  const plans: readonly (readonly [number, EncoderOptions])[] = [
    [2880, { ...voice, bitrate: 24000, fec: true, packetLossPercent: 30, channels: 2 }],
    [1920, { ...voice, bitrate: 12000, maxBandwidth: Bandwidth.Narrowband, channels: 1 }],
    [960, { ...voice, bitrate: 40000, fec: true, packetLossPercent: 20, channels: 1 }],
    [120, { application: Application.RestrictedLowDelay, bitrate: 96000, channels: 2 }],
  ];
  for (const [frameSize, options] of plans) {
    const channels = options.channels ?? 1;
    const encoder = await createEncoder({ ...options, sampleRate: 48000, channels });
    const random = new SeededRandom(frameSize);
    for (let i = 0; i < 20; i++) {
      const pcm = Float32Array.from(
        { length: frameSize * channels },
        (_, n) => (((n * (i + 3)) % 400) / 400 - 0.5) * 0.4 + 0.02 * random.next(),
      );
      packets.push(encoder.encodeFloat(pcm, { frameSize }).slice());
    }
    encoder.free();
  }
  return packets;
}

const pcm = new Float32Array(5760 * 2);

/** Decodes with the oracle; a number is its error code. */
function oracleDecode(action: () => Float32Array): Float32Array | number {
  try {
    return action();
  } catch (error) {
    if (error instanceof LibopusError) return error.code;
    throw error;
  }
}

function compare(what: string, frames: number, expected: Float32Array | number, channels: number): void {
  if (typeof expected === "number") {
    if (frames >= 0) throw new Error(`${what}: accepted with ${frames} frames, libopus says ${expected}`);
    if (frames !== expected) throw new Error(`${what}: code ${frames}, libopus says ${expected}`);
    return;
  }
  if (frames * channels !== expected.length) {
    throw new Error(`${what}: ${frames} frames, libopus gives ${expected.length / channels}`);
  }
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(pcm[i])) throw new Error(`${what}: sample ${i} is ${pcm[i]}`);
    if (pcm[i] !== expected[i])
      throw new Error(`${what}: sample ${i} is ${pcm[i]}, libopus says ${expected[i]}`);
  }
}

runFuzz(
  "opus-decode",
  {
    seeds: await seeds(),
    parse(packet, round) {
      const pair = pairs[round % pairs.length]!;
      const { ours, oracle, channels, sampleRate } = pair;
      if (packet.length === 0 || round % 23 === 7) {
        const frameSize = ((1 + (round % 48)) * sampleRate) / 400;
        const frames = ours.decode(null, pcm, frameSize);
        compare(
          "loss",
          frames,
          oracleDecode(() => oracle.decodePacketLossFloat(frameSize)),
          channels,
        );
        return 0;
      }
      if (round % 11 === 3) {
        const frameSize = ([1, 2, 4, 8, 16, 24][round % 6]! * sampleRate) / 400;
        let frames: number;
        try {
          frames = ours.decodeFec(packet, pcm, frameSize);
        } catch (error) {
          frames = (error as OpusError).libopusCode ?? -99;
        }
        const expected = oracleDecode(() => oracle.decodeFloat(packet, { decodeFec: true, frameSize }));
        compare("redundancy", frames, expected, channels);
        if (frames < 0) throw new OpusError("opus/invalid-packet", "refused by both");
        return 0;
      }
      const frames = ours.tryDecode(packet, pcm);
      compare(
        "packet",
        frames,
        oracleDecode(() => oracle.decodeFloat(packet)),
        channels,
      );
      if (frames < 0) throw new OpusError("opus/invalid-packet", "refused by both");
      return 0;
    },
  },
  process.argv.slice(2),
);
