import { OpusDecoder } from "../decoder.ts";
import { OpusMultistreamDecoder } from "../multistream-decoder.ts";
import { AudioData } from "./audio-data.ts";
import { bytesOf } from "./buffer-source.ts";
import { CodecBase, type CodecInit } from "./codec-base.ts";
import {
  type AudioDecoderConfig,
  checkDecoderConfig,
  knownDecoderConfig,
  unsupportedDecoding,
} from "./configs.ts";
import type { EncodedAudioChunkLike } from "./encoded-audio-chunk.ts";
import { exception } from "./exceptions.ts";
import { readOpusHead } from "./opus-head.ts";

export interface AudioDecoderInit extends CodecInit {
  readonly output: (data: AudioData) => void;
}

export interface AudioDecoderSupport {
  readonly supported: boolean;
  readonly config: AudioDecoderConfig;
}

/** One configuration at work. */
interface Decoding {
  readonly decoder: OpusDecoder | OpusMultistreamDecoder;
  readonly channels: number;
  readonly pcm: Float32Array;
}

/** 120 ms at the rate of the output. */
const longestFrames = 5760;
const sampleRate = 48_000;

/**
 * `AudioDecoder` of WebCodecs for Opus, with this package's decoder. Output is interleaved float at 48 kHz. With a header as
 * `description` the pre-skip is dropped, the gain applied, and more than two channels decode (in the stream's own order).
 *
 * @example
 * const decoder = new AudioDecoder({ output: (data) => play(data), error: console.error });
 * decoder.configure({ codec: "opus", sampleRate: 48000, numberOfChannels: 2 });
 * decoder.decode(chunk);
 * await decoder.flush();
 */
export class AudioDecoder extends CodecBase {
  readonly #output: AudioDecoderInit["output"];
  #decoding: Decoding | undefined;
  #keyRequired = true;
  /** Frames of the pre-skip that are still to be dropped, and what was dropped so far. */
  #toSkip = 0;
  #skipped = 0;

  /** @throws TypeError without both callbacks */
  constructor(init: AudioDecoderInit) {
    super(init);
    this.#output = init.output;
  }

  /** Whether `configure` would take a configuration, and what of it is known. @throws TypeError (as a rejection) */
  static async isConfigSupported(config: AudioDecoderConfig): Promise<AudioDecoderSupport> {
    checkDecoderConfig(config);
    return { supported: unsupportedDecoding(config) === undefined, config: knownDecoderConfig(config) };
  }

  /** Calls of `decode` that wait. */
  get decodeQueueSize(): number {
    return this.waiting;
  }

  /**
   * Sets the decoder up, in turn with what was asked before. What cannot be supported closes it with `NotSupportedError`.
   * @throws TypeError for an invalid configuration, DOMException `InvalidStateError` once closed
   */
  configure(config: AudioDecoderConfig): void {
    checkDecoderConfig(config);
    this.requireOpen("configure");
    const own = knownDecoderConfig(config);
    this.#keyRequired = true;
    this.configureLater(() => {
      this.release();
      const reason = unsupportedDecoding(own);
      if (reason !== undefined) throw exception("NotSupportedError", reason);
      this.#begin(own);
    });
  }

  /**
   * Takes a packet, which is copied. A packet that is no Opus closes the decoder with `EncodingError`.
   * @throws DOMException `InvalidStateError` unless configured, `DataError` where a key chunk must come (first, and after a
   *   flush), `QuotaExceededError`
   */
  decode(chunk: EncodedAudioChunkLike): void {
    this.requireConfigured("decode");
    if (this.#keyRequired && chunk.type !== "key") {
      throw exception("DataError", "A key chunk must come first, and after a flush.");
    }
    const packet = new Uint8Array(chunk.byteLength);
    chunk.copyTo(packet);
    const { timestamp } = chunk;
    this.codeLater(() => this.#take(packet, timestamp));
    this.#keyRequired = false;
  }

  protected override release(): void {
    this.#decoding?.decoder.close();
    this.#decoding = undefined;
  }

  /** Every packet is put out at once. */
  protected override drain(): void {}

  protected override flushAsked(): void {
    this.#keyRequired = true;
  }

  #begin({ description, numberOfChannels }: AudioDecoderConfig): void {
    const head = description && readOpusHead(bytesOf(description, "description"));
    const channels = head?.channels ?? numberOfChannels;
    const decoder =
      head === undefined || head.family === 0
        ? new OpusDecoder({ channels: channels as 1 | 2, gainQ8: head?.gainQ8 ?? 0 })
        : new OpusMultistreamDecoder(head);
    this.#decoding = { decoder, channels, pcm: new Float32Array(longestFrames * channels) };
    this.#toSkip = head?.preSkip ?? 0;
    this.#skipped = 0;
  }

  #take(packet: Uint8Array, timestamp: number): void {
    const { decoder, channels, pcm } = this.#decoding!;
    const frames = decoder.decode(packet, pcm);
    const skip = Math.min(this.#toSkip, frames);
    // What was dropped before this packet moves it forward.
    const moved = Math.floor((this.#skipped * 1e6) / sampleRate);
    this.#toSkip -= skip;
    this.#skipped += skip;
    if (skip === frames) return;
    const data = new AudioData({
      format: "f32",
      sampleRate,
      numberOfFrames: frames - skip,
      numberOfChannels: channels,
      timestamp: timestamp - moved,
      data: pcm.subarray(skip * channels, frames * channels),
    });
    this.emit(() => this.#output(data));
  }
}
