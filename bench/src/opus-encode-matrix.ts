// The combinations of settings of the encoder's acceptance matrix, and their sound: seeded, the same on every engine.
import type { OpusEncoderOptions, SampleRate } from "@longwave/opus";
import { OpusEncoder } from "@longwave/opus";

/** Numbers of the applications in libopus. */
export const applicationNumbers = { voip: 2048, audio: 2049, lowdelay: 2051 } as const;

export interface Profile {
  readonly rateHz: SampleRate;
  readonly channels: 1 | 2;
  readonly application: keyof typeof applicationNumbers;
  readonly frameMs: number;
  readonly bitrateBps: number;
  readonly complexity: number;
  readonly vbr: boolean;
  readonly vbrConstraint: boolean;
  readonly fec: boolean;
  readonly lossPercent: number;
  readonly dtx: boolean;
}

export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Notes, noise strokes and pauses: something for every mode. */
export function testSignal(rateHz: number, channels: number, seconds: number, seed: number): Int16Array {
  const next = randomNumbers(seed);
  const length = Math.floor(rateHz * seconds);
  const pcm = new Int16Array(length * channels);
  let phase = 0;
  let pitchHz = 120;
  let noise = 0;
  for (let i = 0; i < length; i++) {
    if (i % Math.floor(rateHz / 6) === 0) {
      pitchHz = 90 + next() * next() * 1500;
      noise = next() < 0.3 ? next() * 0.4 : 0.01;
    }
    phase = (phase + pitchHz / rateHz) % 1;
    const silent = Math.floor((i / rateHz) * 2.5) % 5 === 4;
    const saw = (2 * phase - 1) * (0.2 + 0.1 * Math.sign(phase - 0.4));
    for (let channel = 0; channel < channels; channel++) {
      const value = saw * (channel === 0 ? 1 : 0.6) + (next() - 0.5) * noise;
      pcm[i * channels + channel] = silent ? 0 : Math.round(value * 16000);
    }
  }
  return pcm;
}

/** The n-th combination of the matrix, from a seeded choice of every dimension. */
export function combination(next: () => number): Profile {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(next() * choices.length)]!;
  const fec = next() < 0.25;
  return {
    rateHz: pick([8000, 12000, 16000, 24000, 48000] as const),
    channels: pick([1, 2] as const),
    application: pick(["voip", "audio", "lowdelay"] as const),
    frameMs: pick([2.5, 5, 10, 20, 40, 60]),
    bitrateBps: pick([6000, 9000, 12000, 16000, 24000, 32000, 48000, 64000, 96000, 128000, 256000, 510000]),
    complexity: Math.floor(next() * 11),
    vbr: next() < 0.7,
    vbrConstraint: next() < 0.5,
    fec,
    lossPercent: fec ? pick([1, 5, 15, 30]) : 0,
    dtx: next() < 0.25,
  };
}

/** The encoder of a combination. */
export function encoderOptions(profile: Profile): OpusEncoderOptions {
  return {
    sampleRate: profile.rateHz,
    channels: profile.channels,
    application: profile.application,
    bitrateBps: profile.bitrateBps,
    complexity: profile.complexity,
    vbr: profile.vbr,
    vbrConstraint: profile.vbrConstraint,
    inbandFec: profile.fec ? 1 : 0,
    packetLossPercent: profile.lossPercent,
    dtx: profile.dtx,
  };
}

/** What engines are compared by. */
export interface EngineDigest {
  readonly packets: number;
  /** Packets of an encoder that took up the state of another before each fifth packet, and differ from the other's. */
  readonly differentAfterRestore: number;
}

/**
 * Encodes the first `combinations` of the matrix and gives u32 length, u32 final range (little-endian) and bytes of every packet to
 * `sink`. A second encoder takes up the state of the first again and again.
 */
export function encodeForDigest(combinations: number, sink: (bytes: Uint8Array) => void): EngineDigest {
  const next = randomNumbers(7);
  const packet = new Uint8Array(8 + 4000);
  const again = new Uint8Array(4000);
  const head = new DataView(packet.buffer, 0, 8);
  const body = packet.subarray(8);
  let packets = 0;
  let differentAfterRestore = 0;
  for (let n = 0; n < combinations; n++) {
    const profile = combination(next);
    const pcm = testSignal(profile.rateHz, profile.channels, 0.6, n + 1);
    const encoder = new OpusEncoder(encoderOptions(profile));
    const other = new OpusEncoder(encoderOptions(profile));
    const image = new Uint8Array(encoder.snapshotBytes);
    const samples = ((profile.rateHz * profile.frameMs) / 1000) * profile.channels;
    for (let at = 0, i = 0; at + samples <= pcm.length; at += samples, i++) {
      if (i % 5 === 0) {
        encoder.snapshot(image);
        other.restore(image);
      }
      const piece = pcm.subarray(at, at + samples);
      const bytes = encoder.encodeInt16(piece, body);
      const same =
        other.encodeInt16(piece, again) === bytes && body.subarray(0, bytes).every((b, k) => b === again[k]);
      if (!same) differentAfterRestore++;
      head.setUint32(0, bytes, true);
      head.setUint32(4, encoder.finalRange, true);
      sink(packet.slice(0, 8 + bytes));
      packets++;
    }
    encoder.close();
    other.close();
  }
  return { packets, differentAfterRestore };
}
