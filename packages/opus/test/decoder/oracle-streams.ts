// Packets of the oracle's encoder (npm libopus-wasm) in every mode, made at test time from generated signals.
import { Application, Bandwidth, createEncoder, type EncoderOptions, Signal } from "libopus-wasm";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";

export type Mode = "silk" | "hybrid" | "celt";

export interface StreamPlan {
  readonly name: string;
  readonly mode: Mode;
  readonly channels: 1 | 2;
  readonly frameMs: number;
  readonly options: EncoderOptions;
}

const voice = { application: Application.Voip, signal: Signal.Voice } as const;
const lowDelay = { application: Application.RestrictedLowDelay } as const;

/** One plan per mode, bandwidth, frame size and channel count that an encoder uses. */
export const streamPlans: readonly StreamPlan[] = [
  ...[10, 20, 40, 60].map(
    (frameMs): StreamPlan => ({
      name: `SILK narrowband mono ${frameMs} ms`,
      mode: "silk",
      channels: 1,
      frameMs,
      options: { ...voice, bitrate: 10000, maxBandwidth: Bandwidth.Narrowband },
    }),
  ),
  {
    name: "SILK mediumband stereo 20 ms",
    mode: "silk",
    channels: 2,
    frameMs: 20,
    options: { ...voice, bitrate: 24000, maxBandwidth: Bandwidth.Mediumband },
  },
  {
    name: "SILK wideband stereo 60 ms with redundancy",
    mode: "silk",
    channels: 2,
    frameMs: 60,
    options: {
      ...voice,
      bitrate: 40000,
      maxBandwidth: Bandwidth.Wideband,
      fec: true,
      packetLossPercent: 20,
    },
  },
  {
    name: "SILK wideband mono 20 ms with DTX",
    mode: "silk",
    channels: 1,
    frameMs: 20,
    options: { ...voice, bitrate: 16000, maxBandwidth: Bandwidth.Wideband, dtx: true },
  },
  ...([10, 20] as const).map(
    (frameMs): StreamPlan => ({
      name: `hybrid super-wideband mono ${frameMs} ms`,
      mode: "hybrid",
      channels: 1,
      frameMs,
      options: { ...voice, bitrate: 32000, maxBandwidth: Bandwidth.Superwideband },
    }),
  ),
  {
    name: "hybrid fullband stereo 20 ms with redundancy",
    mode: "hybrid",
    channels: 2,
    frameMs: 20,
    options: { ...voice, bitrate: 56000, fec: true, packetLossPercent: 10 },
  },
  ...[2.5, 5, 10, 20].flatMap((frameMs) =>
    ([1, 2] as const).map(
      (channels): StreamPlan => ({
        name: `CELT fullband ${channels === 1 ? "mono" : "stereo"} ${frameMs} ms`,
        mode: "celt",
        channels,
        frameMs,
        options: { ...lowDelay, bitrate: 48000 * channels },
      }),
    ),
  ),
  {
    name: "CELT narrowband stereo 10 ms at 24 kbit/s",
    mode: "celt",
    channels: 2,
    frameMs: 10,
    options: { ...lowDelay, bitrate: 24000, maxBandwidth: Bandwidth.Narrowband },
  },
  {
    name: "CELT wideband mono 20 ms at 500 kbit/s",
    mode: "celt",
    channels: 1,
    frameMs: 20,
    options: { ...lowDelay, bitrate: 500000, maxBandwidth: Bandwidth.Wideband },
  },
];

/** Mode of a packet, from its first byte. */
export function modeOf(packet: Uint8Array): Mode {
  const config = packet[0]! >> 3;
  return config < 12 ? "silk" : config < 16 ? "hybrid" : "celt";
}

/** The plan's packets for `seconds` of a speech-like signal at 48 kHz. */
export async function encodePlan(plan: StreamPlan, seconds: number, seed = 1): Promise<Uint8Array[]> {
  const pcm = syntheticSpeech(48000, plan.channels, seconds, seed);
  const encoder = await createEncoder({ ...plan.options, sampleRate: 48000, channels: plan.channels });
  const frames = plan.frameMs * 48;
  const packets: Uint8Array[] = [];
  for (let at = 0; at + frames * plan.channels <= pcm.length; at += frames * plan.channels) {
    packets.push(
      encoder.encode(pcm.subarray(at, at + frames * plan.channels), { frameSize: frames }).slice(),
    );
  }
  encoder.free();
  return packets;
}

/** A stream that changes mode, bandwidth, channels and frame size every few packets. */
export async function encodeSwitching(seconds: number): Promise<Uint8Array[]> {
  const streams = await Promise.all(streamPlans.map((plan, index) => encodePlan(plan, seconds, index + 1)));
  const packets: Uint8Array[] = [];
  let state = 12345;
  for (let taken = 0; taken < 120; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const stream = streams[(state >>> 8) % streams.length]!;
    const run = 1 + ((state >>> 20) % 5);
    const from = (state >>> 12) % Math.max(1, stream.length - run);
    packets.push(...stream.slice(from, from + run));
    taken += run;
  }
  return packets;
}

/** Deterministic losses, about `share` of the packets, half of them in bursts. */
export function lossPattern(count: number, share: number, seed: number): boolean[] {
  let state = seed;
  let lost = false;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const draw = state / 2 ** 32;
    lost = lost ? draw < 0.5 : draw < share / 2;
    return lost;
  });
}
