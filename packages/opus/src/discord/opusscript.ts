import { applications } from "../encoder-settings.ts";
import { OpusError } from "../errors.ts";
import { maxPacketBytes, OpusEncoder } from "./discordjs-opus.ts";
import { type Bytes, checkBytes } from "./sample-bytes.ts";

const sampleRates = [8000, 12_000, 16_000, 24_000, 48_000] as const;

/**
 * The class of `opusscript`: as `OpusEncoder` here, with that package's names.
 *
 * @example
 * const opus = new OpusScript(48000, 2, OpusScript.Application.AUDIO);
 * const packet = opus.encode(pcm, 960);
 */
export class OpusScript implements Disposable {
  static readonly Application: {
    readonly VOIP: 2048;
    readonly AUDIO: 2049;
    readonly RESTRICTED_LOWDELAY: 2051;
  } = {
    VOIP: 2048,
    AUDIO: 2049,
    RESTRICTED_LOWDELAY: 2051,
  };
  static readonly VALID_SAMPLING_RATES: readonly number[] = sampleRates;
  static readonly MAX_PACKET_SIZE: number = maxPacketBytes;
  readonly #channels: number;
  readonly #codec: OpusEncoder;

  /** @throws RangeError for another rate, OpusError `opus/bad-argument` */
  constructor(samplingRate: number, channels = 1, application: number = applications.audio) {
    if (!OpusScript.VALID_SAMPLING_RATES.includes(samplingRate)) {
      throw new RangeError(`${samplingRate} Hz is no rate of Opus; give one of ${sampleRates.join(", ")}.`);
    }
    this.#channels = channels;
    this.#codec = new OpusEncoder(samplingRate, channels, application);
  }

  /**
   * Encodes `frameSize` sample frames of 16-bit little-endian sound.
   * @throws OpusError `opus/bad-argument`
   */
  encode(buffer: Uint8Array, frameSize: number): Bytes {
    const bytes = checkBytes(buffer, "The sound");
    if (!(Number.isInteger(frameSize) && frameSize > 0 && bytes.length >= 2 * frameSize * this.#channels)) {
      throw new OpusError(
        "opus/bad-argument",
        `${bytes.length} bytes are fewer than ${frameSize} frames of ${this.#channels} channels.`,
      );
    }
    return this.#codec.encodeFrames(bytes, frameSize);
  }

  /** @throws OpusError `opus/invalid-packet` */
  decode(buffer: Uint8Array): Bytes {
    return this.#codec.decode(buffer);
  }

  encoderCTL(ctl: number, arg: number): void {
    this.#codec.applyEncoderCTL(ctl, arg);
  }

  decoderCTL(ctl: number, arg: number): void {
    this.#codec.applyDecoderCTL(ctl, arg);
  }

  /** Bits per second. */
  setBitrate(bitrate: number): void {
    this.#codec.setBitrate(bitrate);
  }

  /** Gives the memory back. */
  delete(): void {
    this.#codec.close();
  }

  [Symbol.dispose](): void {
    this.delete();
  }
}
