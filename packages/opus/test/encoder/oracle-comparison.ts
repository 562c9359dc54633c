// Encodes the same samples with OpusEncoder and with the oracle (npm libopus-wasm: scalar float libopus 1.6.1).
import { createEncoder, type EncoderOptions, Signal } from "libopus-wasm";
import { OpusEncoder, type OpusEncoderOptions, type SampleRate } from "../../src/index.ts";

export interface EncodeProfile {
  readonly rateHz: SampleRate;
  readonly channels: 1 | 2;
  readonly frameMs: number;
  readonly bitrateBps: number;
  readonly complexity: number;
  readonly application?: "voip" | "audio" | "lowdelay";
  readonly vbr?: boolean;
  readonly vbrConstraint?: boolean;
  readonly signal?: "voice" | "music";
  readonly lossPercent?: number;
  readonly dtx?: boolean;
}

const applications = { voip: 2048, audio: 2049, lowdelay: 2051 } as const;

/** Room for a packet: the oracle's default, which takes part in the rate control. */
export const packetRoom = 4000;

export function encoderOptions(profile: EncodeProfile): OpusEncoderOptions {
  return {
    sampleRate: profile.rateHz,
    channels: profile.channels,
    application: profile.application ?? "audio",
    bitrateBps: profile.bitrateBps,
    complexity: profile.complexity,
    vbr: profile.vbr ?? true,
    vbrConstraint: profile.vbrConstraint ?? true,
    signal: profile.signal ?? "auto",
    inbandFec: (profile.lossPercent ?? 0) > 0 ? 1 : 0,
    packetLossPercent: profile.lossPercent ?? 0,
    dtx: profile.dtx ?? false,
  };
}

function oracleOptions(profile: EncodeProfile, frameSize: number): EncoderOptions {
  return {
    sampleRate: profile.rateHz,
    channels: profile.channels,
    application: applications[profile.application ?? "audio"],
    bitrate: profile.bitrateBps,
    complexity: profile.complexity,
    vbr: profile.vbr ?? true,
    vbrConstraint: profile.vbrConstraint ?? true,
    ...(profile.signal === undefined
      ? {}
      : { signal: profile.signal === "voice" ? Signal.Voice : Signal.Music }),
    fec: (profile.lossPercent ?? 0) > 0,
    packetLossPercent: profile.lossPercent ?? 0,
    dtx: profile.dtx ?? false,
    frameSize,
  };
}

export interface Comparison {
  readonly count: number;
  /** Descriptions of the packets that differ. */
  readonly wrong: string[];
  /** Packets per configuration number of the first byte. */
  readonly configurations: Map<number, number>;
}

export async function compareWithOracle(profile: EncodeProfile, pcm: Int16Array): Promise<Comparison> {
  const frames = (profile.rateHz * profile.frameMs) / 1000;
  const samples = frames * profile.channels;
  const oracle = await createEncoder(oracleOptions(profile, frames));
  using ours = new OpusEncoder(encoderOptions(profile));
  const packet = new Uint8Array(packetRoom);
  const wrong: string[] = [];
  const configurations = new Map<number, number>();
  let count = 0;
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    const piece = pcm.subarray(at, at + samples);
    const expected = oracle.encode(piece);
    const bytes = ours.encodeInt16(piece, packet);
    const configuration = expected[0]! >> 3;
    configurations.set(configuration, (configurations.get(configuration) ?? 0) + 1);
    if (Buffer.compare(packet.subarray(0, bytes), expected) !== 0) {
      const first = expected.findIndex((byte, index) => byte !== packet[index]);
      wrong.push(`packet ${count}: byte ${first}, ${bytes} instead of ${expected.length} bytes`);
    }
    count++;
  }
  oracle.free();
  return { count, wrong, configurations };
}
