// Profiles of the encoder that fixtures pin: forced mode and bandwidth, on generated sound.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type Application,
  type Bandwidth,
  type FrameMs,
  type Mode,
  OpusEncoder,
  type SampleRate,
} from "../../src/index.ts";
import { syntheticMusic } from "../encoder/synthetic-music.ts";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";

/** One profile of fixtures/encoder-profiles.json. */
export interface EncoderProfile {
  readonly name: string;
  readonly sound: "speech" | "music";
  readonly seconds: number;
  readonly rateHz: SampleRate;
  readonly channels: 1 | 2;
  readonly frameMs: FrameMs;
  readonly application: Application;
  readonly bitrateBps: number;
  readonly complexity: number;
  readonly vbr: boolean;
  readonly vbrConstraint: boolean;
  readonly mode: Mode | "auto";
  readonly bandwidth: Bandwidth | "auto";
  readonly inbandFec: 0 | 1 | 2;
  readonly packetLossPercent: number;
  readonly dtx: boolean;
  readonly predictionDisabled: boolean;
  readonly phaseInversionDisabled: boolean;
  readonly forceChannels: 1 | 2 | "auto";
  readonly lsbDepth: number;
  /** SHA-256 of the samples (i16, little-endian). */
  readonly input: string;
  /** Per packet the first four bytes of the SHA-256 of its final range (u32, little-endian) and bytes, in hex. */
  readonly packets: string;
}

export interface EncoderFixtures {
  readonly provenance: Readonly<Record<string, string>>;
  readonly profiles: readonly EncoderProfile[];
}

export function readEncoderFixtures(): EncoderFixtures {
  const file = fileURLToPath(new URL("../fixtures/encoder-profiles.json", import.meta.url));
  return JSON.parse(readFileSync(file, "utf8"));
}

export function profileSound({ sound, rateHz, channels, seconds }: EncoderProfile): Int16Array {
  return sound === "speech"
    ? syntheticSpeech(rateHz, channels, seconds)
    : syntheticMusic(rateHz, channels, seconds);
}

export function soundDigest(pcm: Int16Array): string {
  return createHash("sha256")
    .update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    .digest("hex");
}

/** Room for a packet: takes part in the rate control, and is what the fixtures were made with. */
const roomBytes = 4000;

/** Encodes the sound of a profile; digests as in the fixture. */
export function encodeProfile(profile: EncoderProfile, pcm: Int16Array): string[] {
  using encoder = new OpusEncoder({
    sampleRate: profile.rateHz,
    channels: profile.channels,
    application: profile.application,
    bitrateBps: profile.bitrateBps,
    complexity: profile.complexity,
    vbr: profile.vbr,
    vbrConstraint: profile.vbrConstraint,
    forceMode: profile.mode,
    bandwidth: profile.bandwidth,
    inbandFec: profile.inbandFec,
    packetLossPercent: profile.packetLossPercent,
    dtx: profile.dtx,
    predictionDisabled: profile.predictionDisabled,
    phaseInversionDisabled: profile.phaseInversionDisabled,
    forceChannels: profile.forceChannels,
    lsbDepth: profile.lsbDepth,
    signal: profile.sound === "speech" ? "voice" : "music",
  });
  const packet = new Uint8Array(roomBytes);
  const samples = (profile.rateHz * profile.frameMs * profile.channels) / 1000;
  const digests: string[] = [];
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    const bytes = encoder.encodeInt16(pcm.subarray(at, at + samples), packet);
    const range = Buffer.alloc(4);
    range.writeUInt32LE(encoder.finalRange);
    digests.push(
      createHash("sha256").update(range).update(packet.subarray(0, bytes)).digest("hex").slice(0, 8),
    );
  }
  return digests;
}

/** Percent of the fixture's packets that are the same. */
export function identicalPercent(profile: EncoderProfile, digests: readonly string[]): number {
  const expected = profile.packets.match(/.{8}/g) ?? [];
  const same = expected.filter((digest, index) => digest === digests[index]).length;
  return (100 * same) / Math.max(expected.length, digests.length);
}
