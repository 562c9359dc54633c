import type { OpusCore } from "./core.ts";
import type { Bandwidth, SampleRate } from "./decoder-options.ts";
import { OpusError } from "./errors.ts";

/**
 * What a stream is for. "voip" favours speech, "audio" fidelity; "lowdelay" leaves SILK out and saves 4 ms; "silk" and
 * "celt" restrict the encoder to one codec.
 */
export type Application = "voip" | "audio" | "lowdelay" | "silk" | "celt";

/** Coding mode of a packet. */
export type Mode = "silk" | "hybrid" | "celt";

/** Durations of a packet in milliseconds. */
export type FrameMs = 2.5 | 5 | 10 | 20 | 40 | 60 | 80 | 100 | 120;

/** Settings that may change between packets; defaults are those of libopus. */
export interface OpusEncoderSettings {
  /** Bits per second, limited to 500..750000 per channel; "auto" follows rate and channels, "max" fills the buffer. */
  bitrateBps: number | "auto" | "max";
  /** 0 (fast) to 10 (best); default 9. */
  complexity: number;
  /** Variable bit rate; default true. */
  vbr: boolean;
  /** Keeps the variable rate within one frame of the constant one; default true. */
  vbrConstraint: boolean;
  /** What the sound is; default "auto". */
  signal: "auto" | "voice" | "music";
  /** Fixed bandwidth; default "auto". */
  bandwidth: Bandwidth | "auto";
  /** Largest bandwidth; default "fb". */
  maxBandwidth: Bandwidth;
  /** Channels of the stream, for stereo input; default "auto". */
  forceChannels: 1 | 2 | "auto";
  /** Fixed mode; default "auto". Frames under 10 ms are CELT in any case. */
  forceMode: Mode | "auto";
  /** Redundancy for lost packets: 0 none, 1 on (may force SILK), 2 on without forcing SILK; default 0. */
  inbandFec: 0 | 1 | 2;
  /** Expected loss, 0..100; default 0. */
  packetLossPercent: number;
  /** Discontinuous transmission: packets of silence shrink to one byte; default false. */
  dtx: boolean;
  /** Significant bits of the input, 8..24; default 24. */
  lsbDepth: number;
  /** Duration of packets where it should not follow from the input's length; default "argument". */
  frameDuration: FrameMs | "argument";
  /** Makes frames independent of each other, at a price in quality; default false. */
  predictionDisabled: boolean;
  /** Leaves phase inversion of intensity stereo out, for mono playback of the sum; default false. */
  phaseInversionDisabled: boolean;
}

export interface OpusEncoderOptions extends Partial<OpusEncoderSettings> {
  /** Rate of the input in Hz; default 48000. */
  readonly sampleRate?: SampleRate;
  /** Channels of the input; default 2. */
  readonly channels?: 1 | 2;
  /** Default "audio". */
  readonly application?: Application;
  /** Where the encoder lives; default: the core that the thread's objects share. */
  readonly core?: OpusCore;
}

/** Numbers of the settings in the slot; see assembly/index.ts. */
export const setting = {
  complexity: 0,
  bitrate: 1,
  vbr: 2,
  vbrConstraint: 3,
  signal: 4,
  bandwidth: 5,
  maxBandwidth: 6,
  forceChannels: 7,
  forceMode: 8,
  inbandFec: 9,
  packetLoss: 10,
  dtx: 11,
  lsbDepth: 12,
  predictionDisabled: 13,
  phaseInversionDisabled: 14,
} as const;

/** Value of settings that are automatic, and of a bit rate without limit. */
export const automatic = -1000;
export const highestBitrate = -1;

export const applications: Readonly<Record<Application, number>> = {
  voip: 2048,
  audio: 2049,
  lowdelay: 2051,
  silk: 2052,
  celt: 2053,
};
export const signals: Readonly<Record<"auto" | "voice" | "music", number>> = {
  auto: automatic,
  voice: 3001,
  music: 3002,
};
export const bandwidths: readonly (Bandwidth | undefined)[] = [undefined, "nb", "mb", "wb", "swb", "fb"];
export const modes: readonly (Mode | undefined)[] = [undefined, "silk", "hybrid", "celt"];
export const frameDurations: readonly FrameMs[] = [2.5, 5, 10, 20, 40, 60, 80, 100, 120];

/**
 * A whole number within a range.
 * @throws OpusError `opus/bad-argument`
 */
export function checkInteger(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new OpusError(
      "opus/bad-argument",
      `${name} is ${value}; give a whole number from ${least} to ${most}.`,
    );
  }
  return value;
}

/**
 * True or false: a text such as "no" would count as true.
 * @throws OpusError `opus/bad-argument`
 */
export function checkBoolean(name: string, value: boolean): boolean {
  if (typeof value !== "boolean") {
    throw new OpusError("opus/bad-argument", `${name} is ${String(value)}; give true or false.`);
  }
  return value;
}

/**
 * One of a list.
 * @throws OpusError `opus/bad-argument`
 */
export function checkChoice<T>(name: string, value: T, choices: readonly T[]): T {
  if (!choices.includes(value)) {
    throw new OpusError(
      "opus/bad-argument",
      `${name} is ${String(value)}; give one of ${choices.join(", ")}.`,
    );
  }
  return value;
}
