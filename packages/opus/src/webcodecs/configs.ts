import type { OpusEncoderOptions } from "../encoder-settings.ts";
import { type BufferSource, bytesOf } from "./buffer-source.ts";
import { readOpusHead } from "./opus-head.ts";

/** The Opus part of an encoder's configuration (W3C, "Opus WebCodecs Registration"). */
export interface OpusEncoderConfig {
  /** Default "opus". Packets are the same; either way the first output's metadata has the header. */
  readonly format?: "opus" | "ogg";
  /** Default "auto". */
  readonly signal?: "auto" | "music" | "voice";
  /** Default "audio". */
  readonly application?: "voip" | "audio" | "lowdelay";
  /** Microseconds: 2500, 5000, 10000, 20000 (default), 40000, 60000, 80000, 100000, 120000. */
  readonly frameDuration?: number;
  /** 0 to 10; default 9. */
  readonly complexity?: number;
  /** 0 to 100; default 0. */
  readonly packetlossperc?: number;
  /** Default false. */
  readonly useinbandfec?: boolean;
  /** Default false. */
  readonly usedtx?: boolean;
}

export interface AudioEncoderConfig {
  /** "opus". */
  readonly codec: string;
  /** 8000, 12000, 16000, 24000 or 48000. */
  readonly sampleRate: number;
  /** 1 or 2. */
  readonly numberOfChannels: number;
  /** Bits per second, from 6000 on; default: Opus chooses. */
  readonly bitrate?: number;
  /** Default "variable". */
  readonly bitrateMode?: "constant" | "variable";
  readonly opus?: OpusEncoderConfig;
}

export interface AudioDecoderConfig {
  /** "opus". */
  readonly codec: string;
  /** For information; Opus decodes to 48000. */
  readonly sampleRate: number;
  /** 1 or 2; with a header, the header's. */
  readonly numberOfChannels: number;
  /** The identification header (OpusHead), for pre-skip, gain and more than two channels. */
  readonly description?: BufferSource;
}

const frameDurations = [2500, 5000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 120_000];
const sampleRates = [8000, 12_000, 16_000, 24_000, 48_000];
const lowestBitrate = 6000;

const choices: Readonly<Record<string, readonly unknown[]>> = {
  format: ["opus", "ogg"],
  signal: ["auto", "music", "voice"],
  application: ["voip", "audio", "lowdelay"],
  frameDuration: frameDurations,
};

/** @throws TypeError for what the standard calls no valid configuration */
export function checkEncoderConfig(config: AudioEncoderConfig): void {
  checkCommon(config);
  const { bitrate, bitrateMode, opus } = config;
  if (bitrate !== undefined && !(Number.isFinite(bitrate) && bitrate > 0)) {
    throw new TypeError(`bitrate is ${bitrate}; give bits per second.`);
  }
  if (bitrateMode !== undefined && bitrateMode !== "constant" && bitrateMode !== "variable") {
    throw new TypeError(`bitrateMode is ${String(bitrateMode)}; give "constant" or "variable".`);
  }
  if (opus === undefined) return;
  for (const [name, allowed] of Object.entries(choices)) {
    const value = opus[name as keyof OpusEncoderConfig];
    if (value !== undefined && !allowed.includes(value)) {
      throw new TypeError(`opus.${name} is ${String(value)}; give one of ${allowed.join(", ")}.`);
    }
  }
  checkRange("complexity", opus.complexity, 10);
  checkRange("packetlossperc", opus.packetlossperc, 100);
}

/** @throws TypeError for what the standard calls no valid configuration */
export function checkDecoderConfig(config: AudioDecoderConfig): void {
  checkCommon(config);
  if (config.description !== undefined) bytesOf(config.description, "description");
}

/** Why a valid configuration cannot be encoded; undefined where it can. */
export function unsupportedEncoding(config: AudioEncoderConfig): string | undefined {
  const { codec, sampleRate, numberOfChannels, bitrate } = config;
  if (!isOpus(codec)) return `The codec ${codec} is not Opus.`;
  if (!sampleRates.includes(sampleRate))
    return `sampleRate is ${sampleRate}; give one of ${sampleRates.join(", ")}.`;
  if (numberOfChannels > 2) return `numberOfChannels is ${numberOfChannels}; this encoder has 1 or 2.`;
  if (bitrate !== undefined && bitrate < lowestBitrate)
    return `bitrate is ${bitrate}; Opus begins at ${lowestBitrate}.`;
  return undefined;
}

/** Why a valid configuration cannot be decoded; undefined where it can. */
export function unsupportedDecoding(config: AudioDecoderConfig): string | undefined {
  const { codec, numberOfChannels, description } = config;
  if (!isOpus(codec)) return `The codec ${codec} is not Opus.`;
  if (description === undefined) {
    return numberOfChannels <= 2
      ? undefined
      : `${numberOfChannels} channels need a description, the OpusHead.`;
  }
  const head = readOpusHead(bytesOf(description, "description"));
  return head === undefined ? "The description is no OpusHead." : undefined;
}

/** The members that are known, as `isConfigSupported` gives them back. */
export function knownEncoderConfig(config: AudioEncoderConfig): AudioEncoderConfig {
  const { codec, sampleRate, numberOfChannels, bitrate, bitrateMode, opus } = config;
  return {
    codec,
    sampleRate,
    numberOfChannels,
    ...(bitrate !== undefined && { bitrate }),
    ...(bitrateMode !== undefined && { bitrateMode }),
    ...(opus !== undefined && { opus: { ...opus } }),
  };
}

export function knownDecoderConfig(config: AudioDecoderConfig): AudioDecoderConfig {
  const { codec, sampleRate, numberOfChannels, description } = config;
  return {
    codec,
    sampleRate,
    numberOfChannels,
    ...(description !== undefined && { description: bytesOf(description, "description").slice() }),
  };
}

/** The same in the words of `OpusEncoder`. */
export function encoderOptions(config: AudioEncoderConfig): OpusEncoderOptions {
  const { sampleRate, numberOfChannels, bitrate, bitrateMode, opus = {} } = config;
  const { signal, application, complexity, packetlossperc, useinbandfec, usedtx } = opus;
  return {
    sampleRate: sampleRate as NonNullable<OpusEncoderOptions["sampleRate"]>,
    channels: numberOfChannels as 1 | 2,
    vbr: bitrateMode !== "constant",
    inbandFec: useinbandfec ? 1 : 0,
    dtx: usedtx ?? false,
    packetLossPercent: packetlossperc ?? 0,
    ...(bitrate !== undefined && { bitrateBps: bitrate }),
    ...(signal !== undefined && { signal }),
    ...(application !== undefined && { application }),
    ...(complexity !== undefined && { complexity }),
  };
}

function checkCommon(config: { codec: string; sampleRate: number; numberOfChannels: number }): void {
  const { codec, sampleRate, numberOfChannels } = config;
  if (typeof codec !== "string" || codec.trim() === "") throw new TypeError("codec is missing.");
  if (!(Number.isFinite(sampleRate) && sampleRate >= 1)) throw new TypeError(`sampleRate is ${sampleRate}.`);
  if (!(Number.isInteger(numberOfChannels) && numberOfChannels >= 1)) {
    throw new TypeError(`numberOfChannels is ${numberOfChannels}.`);
  }
}

function checkRange(name: string, value: number | undefined, most: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= most)) {
    throw new TypeError(`opus.${name} is ${value}; give a whole number from 0 to ${most}.`);
  }
}

function isOpus(codec: string): boolean {
  return codec.toLowerCase() === "opus";
}
