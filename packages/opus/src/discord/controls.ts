import type { OpusDecoder } from "../decoder.ts";
import { OpusEncoder } from "../encoder.ts";
import { type Application, applications, bandwidths, type FrameMs, signals } from "../encoder-settings.ts";
import { OpusError } from "../errors.ts";

/** Request numbers of `opus_encoder_ctl` and `opus_decoder_ctl` that set something (opus_defines.h, RFC 6716 reference). */
export const control = {
  application: 4000,
  bitrate: 4002,
  maxBandwidth: 4004,
  vbr: 4006,
  bandwidth: 4008,
  complexity: 4010,
  inbandFec: 4012,
  packetLoss: 4014,
  dtx: 4016,
  vbrConstraint: 4020,
  forceChannels: 4022,
  signal: 4024,
  resetState: 4028,
  gain: 4034,
  lsbDepth: 4036,
  frameDuration: 4040,
  predictionDisabled: 4042,
  phaseInversionDisabled: 4046,
} as const;

const automatic = -1000;
const highest = -1;
const narrowband = 1101;
/** OPUS_FRAMESIZE_ARG and the durations that follow it. */
const firstFrameDuration = 5000;
const frameDurations: readonly (FrameMs | "argument")[] = ["argument", 2.5, 5, 10, 20, 40, 60, 80, 100, 120];

/** An encoder that is set by the numbers of libopus, whose application may still change before its first packet. */
export class ControlledEncoder {
  readonly #sampleRate: number;
  readonly #channels: number;
  #encoder: OpusEncoder;
  /** Settings so far, to be repeated when the application changes. */
  readonly #settings = new Map<number, number>();
  #lastFrames: number | undefined;

  constructor(sampleRate: number, channels: number, application: number) {
    this.#sampleRate = sampleRate;
    this.#channels = channels;
    this.#encoder = this.#make(application);
  }

  /** Encodes 16-bit samples; returns bytes. */
  encode(pcm: Int16Array, packet: Uint8Array): number {
    const bytes = this.#encoder.encodeInt16(pcm, packet);
    this.#lastFrames = pcm.length / this.#channels;
    return bytes;
  }

  /** @throws OpusError `opus/bad-argument` for a value out of range, `opus/unimplemented` for another request */
  set(request: number, value: number): void {
    if (request === control.resetState) {
      this.#encoder.reset();
      this.#lastFrames = undefined;
      return;
    }
    if (request === control.application) this.#setApplication(value);
    else apply(this.#encoder, request, value);
    this.#settings.set(request, value);
  }

  /** The rate in force, as OPUS_GET_BITRATE gives it: that of a frame as long as the last one, at first 2.5 ms. */
  get bitrateBps(): number {
    const set = this.#encoder.bitrateBps;
    if (typeof set === "number") return set;
    const framesPerSecond = this.#sampleRate / (this.#lastFrames ?? this.#sampleRate / 400);
    if (set === "max") return Math.floor(1276 * 8 * framesPerSecond);
    return Math.floor(60 * framesPerSecond + this.#sampleRate * this.#channels);
  }

  close(): void {
    this.#encoder.close();
  }

  #setApplication(value: number): void {
    const now = applications[this.#encoder.application];
    if (value === now) return;
    if (this.#lastFrames !== undefined) {
      throw new OpusError("opus/bad-argument", "The application can only change before the first packet.");
    }
    const next = this.#make(value);
    for (const [request, each] of this.#settings)
      if (request !== control.application) apply(next, request, each);
    this.#encoder.close();
    this.#encoder = next;
  }

  #make(application: number): OpusEncoder {
    return new OpusEncoder({
      sampleRate: this.#sampleRate as 48_000,
      channels: this.#channels as 1 | 2,
      application: nameOf(applications, application, "application") as Application,
    });
  }
}

function apply(encoder: OpusEncoder, request: number, value: number): void {
  switch (request) {
    case control.bitrate:
      encoder.bitrateBps = value === automatic ? "auto" : value === highest ? "max" : value;
      break;
    case control.maxBandwidth:
      encoder.maxBandwidth = bandwidthOf(value);
      break;
    case control.bandwidth:
      encoder.bandwidth = value === automatic ? "auto" : bandwidthOf(value);
      break;
    case control.vbr:
      encoder.vbr = flag(value);
      break;
    case control.vbrConstraint:
      encoder.vbrConstraint = flag(value);
      break;
    case control.complexity:
      encoder.complexity = value;
      break;
    case control.inbandFec:
      encoder.inbandFec = value as 0 | 1 | 2;
      break;
    case control.packetLoss:
      // Fractions come from percentages computed in floating point; libopus takes whole numbers.
      encoder.packetLossPercent = Math.trunc(value);
      break;
    case control.dtx:
      encoder.dtx = flag(value);
      break;
    case control.forceChannels:
      encoder.forceChannels = value === automatic ? "auto" : (value as 1 | 2);
      break;
    case control.signal:
      encoder.signal = nameOf(signals, value, "signal") as "auto" | "voice" | "music";
      break;
    case control.lsbDepth:
      encoder.lsbDepth = value;
      break;
    case control.frameDuration:
      encoder.frameDuration = frameDurations[value - firstFrameDuration] ?? refuse("frame duration", value);
      break;
    case control.predictionDisabled:
      encoder.predictionDisabled = flag(value);
      break;
    case control.phaseInversionDisabled:
      encoder.phaseInversionDisabled = flag(value);
      break;
    default:
      throw unknownRequest(request);
  }
}

/** @throws OpusError as `ControlledEncoder.set` */
export function setDecoder(decoder: OpusDecoder, request: number, value: number): void {
  if (request === control.resetState) decoder.reset();
  else if (request === control.gain) decoder.gainQ8 = value;
  else if (request === control.phaseInversionDisabled) decoder.phaseInversionDisabled = flag(value);
  else throw unknownRequest(request);
}

function bandwidthOf(value: number) {
  return bandwidths[value - narrowband + 1] ?? refuse("bandwidth", value);
}

function flag(value: number): boolean {
  return value === 0 || value === 1 ? value === 1 : refuse("switch", value);
}

function nameOf(numbers: Readonly<Record<string, number>>, value: number, what: string): string {
  return Object.keys(numbers).find((name) => numbers[name] === value) ?? refuse(what, value);
}

function refuse(what: string, value: number): never {
  throw new OpusError("opus/bad-argument", `${value} is no ${what} of libopus.`);
}

function unknownRequest(request: number): OpusError {
  return new OpusError("opus/unimplemented", `The request ${request} sets nothing that is known here.`);
}
