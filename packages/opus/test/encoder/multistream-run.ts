import { createHash } from "node:crypto";
import { type MappingFamily, OpusMultistreamEncoder, type SampleRate } from "../../src/index.ts";
import { multichannelSignal } from "./multistream-signal.ts";

/** One line of fixtures/multistream-libopus-1.6.1.json. */
export interface MultistreamFixture {
  readonly family: MappingFamily;
  readonly channels: number;
  readonly rateHz: SampleRate;
  readonly frameMs: number;
  readonly application: "voip" | "audio" | "lowdelay";
  /** 0: automatic. */
  readonly bitrateBps: number;
  readonly complexity: number;
  readonly vbr: boolean;
  readonly vbrConstraint: boolean;
  readonly float: boolean;
  readonly roomBytes: number;
  readonly seconds: number;
  /** SHA-256 of the samples (i16, little-endian). */
  readonly input: string;
  readonly packets: number;
  /** SHA-256 over u32 length, u32 final range and bytes of every packet. */
  readonly output: string;
}

export function inputDigest({ rateHz, channels, seconds }: MultistreamFixture): string {
  const pcm = multichannelSignal(rateHz, channels, seconds);
  return createHash("sha256").update(new Uint8Array(pcm.buffer)).digest("hex");
}

/** Encodes the fixture's signal; `each` sees every packet. */
export function encodeFixture(
  fixture: MultistreamFixture,
  each: (packet: Uint8Array, encoder: OpusMultistreamEncoder) => void,
): void {
  const { family, channels, rateHz, application, complexity, vbr, vbrConstraint } = fixture;
  using encoder = new OpusMultistreamEncoder({
    family,
    channels,
    sampleRate: rateHz,
    application,
    complexity,
    vbr,
    vbrConstraint,
    bitrateBps: fixture.bitrateBps || "auto",
  });
  const pcm = multichannelSignal(rateHz, channels, fixture.seconds);
  const packet = new Uint8Array(fixture.roomBytes);
  const samples = ((rateHz * fixture.frameMs) / 1000) * channels;
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    const piece = pcm.subarray(at, at + samples);
    const bytes = fixture.float
      ? encoder.encode(
          Float32Array.from(piece, (value) => value / 32768),
          packet,
        )
      : encoder.encodeInt16(piece, packet);
    each(packet.subarray(0, bytes), encoder);
  }
}

export function outputDigest(fixture: MultistreamFixture): { packets: number; output: string } {
  const hash = createHash("sha256");
  const head = Buffer.alloc(8);
  let packets = 0;
  encodeFixture(fixture, (packet, encoder) => {
    head.writeUInt32LE(packet.length, 0);
    head.writeUInt32LE(encoder.finalRange, 4);
    hash.update(head).update(packet);
    packets++;
  });
  return { packets, output: hash.digest("hex") };
}
