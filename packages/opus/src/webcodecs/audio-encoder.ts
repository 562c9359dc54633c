import { OpusEncoder } from "../encoder.ts";
import type { AudioDataLike } from "./audio-data.ts";
import { CodecBase, type CodecInit } from "./codec-base.ts";
import {
  type AudioDecoderConfig,
  type AudioEncoderConfig,
  checkEncoderConfig,
  encoderOptions,
  knownEncoderConfig,
  unsupportedEncoding,
} from "./configs.ts";
import { EncodedAudioChunk } from "./encoded-audio-chunk.ts";
import { exception } from "./exceptions.ts";
import { writeOpusHead } from "./opus-head.ts";

/** What comes with a packet. */
export interface EncodedAudioChunkMetadata {
  /** With the first packet of a configuration: what a decoder needs. */
  readonly decoderConfig?: AudioDecoderConfig;
}

export interface AudioEncoderInit extends CodecInit {
  readonly output: (chunk: EncodedAudioChunk, metadata: EncodedAudioChunkMetadata) => void;
}

export interface AudioEncoderSupport {
  readonly supported: boolean;
  readonly config: AudioEncoderConfig;
}

/** One configuration at work. */
interface Encoding {
  readonly config: AudioEncoderConfig;
  readonly encoder: OpusEncoder;
  readonly frameSize: number;
  /** Interleaved samples that do not fill a packet yet. */
  readonly block: Float32Array;
  readonly packet: Uint8Array;
}

/** Six frames of 1275 bytes and their framing. */
const largestPacket = 7656;

/**
 * `AudioEncoder` of WebCodecs for Opus, with this package's encoder: it runs in Node and in every browser, gives the same bytes
 * everywhere, and knows every option of the Opus registration. Packets have the configured duration whatever the length of
 * the data; `flush` fills the last one up with silence and goes on until the encoder's look-ahead is out, as Chromium does.
 *
 * @example
 * const encoder = new AudioEncoder({ output: (chunk) => send(chunk), error: console.error });
 * encoder.configure({ codec: "opus", sampleRate: 48000, numberOfChannels: 2, bitrate: 96000, opus: { signal: "music" } });
 * encoder.encode(audioData);
 * await encoder.flush();
 */
export class AudioEncoder extends CodecBase {
  readonly #output: AudioEncoderInit["output"];
  #encoding: Encoding | undefined;
  #metadata: EncodedAudioChunkMetadata = {};
  /** Of the first data after the configuration or a flush; frames taken and put out since. */
  #baseTimestamp: number | undefined;
  #framesIn = 0;
  #framesOut = 0;
  #filled = 0;

  /** @throws TypeError without both callbacks */
  constructor(init: AudioEncoderInit) {
    super(init);
    this.#output = init.output;
  }

  /** Whether `configure` would take a configuration, and what of it is known. @throws TypeError (as a rejection) */
  static async isConfigSupported(config: AudioEncoderConfig): Promise<AudioEncoderSupport> {
    checkEncoderConfig(config);
    return { supported: unsupportedEncoding(config) === undefined, config: knownEncoderConfig(config) };
  }

  /** Calls of `encode` that wait. */
  get encodeQueueSize(): number {
    return this.waiting;
  }

  /**
   * Sets the encoder up, in turn with what was asked before. What cannot be supported closes it with `NotSupportedError`.
   * @throws TypeError for an invalid configuration, DOMException `InvalidStateError` once closed
   */
  configure(config: AudioEncoderConfig): void {
    checkEncoderConfig(config);
    this.requireOpen("configure");
    const own = knownEncoderConfig(config);
    this.configureLater(() => {
      this.drain();
      this.release();
      const reason = unsupportedEncoding(own);
      if (reason !== undefined) throw exception("NotSupportedError", reason);
      this.#begin(own);
    });
  }

  /**
   * Takes sound, which is copied or shared; `data` may be closed right after the call.
   * @throws TypeError for closed data, DOMException `InvalidStateError` unless configured, `QuotaExceededError`
   */
  encode(data: AudioDataLike): void {
    if (data.format === null) throw new TypeError("The AudioData is closed.");
    this.requireConfigured("encode");
    const own = data.clone();
    try {
      this.codeLater(() => {
        try {
          this.#take(own);
        } finally {
          own.close();
        }
      });
    } catch (error) {
      own.close();
      throw error;
    }
  }

  protected override release(): void {
    this.#encoding?.encoder.close();
    this.#encoding = undefined;
    this.#restartTime();
  }

  protected override drain(): void {
    const encoding = this.#encoding;
    if (encoding === undefined) return;
    const end = this.#framesIn + encoding.encoder.lookahead;
    while (this.#framesIn > 0 && this.#framesOut < end) {
      encoding.block.fill(0, this.#filled * encoding.config.numberOfChannels);
      this.#putOut(encoding);
    }
    this.#restartTime();
  }

  #begin(config: AudioEncoderConfig): void {
    const { sampleRate, numberOfChannels, opus } = config;
    const encoder = new OpusEncoder(encoderOptions(config));
    const frameSize = ((opus?.frameDuration ?? 20_000) * sampleRate) / 1e6;
    this.#encoding = {
      config,
      encoder,
      frameSize,
      block: new Float32Array(frameSize * numberOfChannels),
      packet: new Uint8Array(largestPacket),
    };
    const preSkip = (encoder.lookahead * 48_000) / sampleRate;
    const description = writeOpusHead(numberOfChannels as 1 | 2, preSkip, sampleRate);
    this.#metadata = { decoderConfig: { codec: "opus", sampleRate, numberOfChannels, description } };
  }

  #take(data: AudioDataLike): void {
    const encoding = this.#encoding!;
    const { sampleRate, numberOfChannels: channels } = encoding.config;
    if (data.sampleRate !== sampleRate || data.numberOfChannels !== channels) {
      throw exception(
        "EncodingError",
        `The data has ${data.numberOfChannels} channels at ${data.sampleRate} Hz, the configuration ${channels} at ${sampleRate}.`,
      );
    }
    this.#baseTimestamp ??= data.timestamp;
    for (let at = 0; at < data.numberOfFrames; ) {
      const count = Math.min(encoding.frameSize - this.#filled, data.numberOfFrames - at);
      const into = encoding.block.subarray(this.#filled * channels, (this.#filled + count) * channels);
      copyInterleaved(data, into, at, count);
      at += count;
      this.#filled += count;
      this.#framesIn += count;
      if (this.#filled === encoding.frameSize) this.#putOut(encoding);
    }
  }

  #putOut({ encoder, block, packet, frameSize, config }: Encoding): void {
    const bytes = encoder.encode(block, packet);
    const elapsed = Math.floor((this.#framesOut * 1e6) / config.sampleRate);
    const chunk = new EncodedAudioChunk({
      type: "key",
      timestamp: this.#baseTimestamp! + elapsed,
      duration: config.opus?.frameDuration ?? 20_000,
      data: packet.subarray(0, bytes),
    });
    this.#framesOut += frameSize;
    this.#filled = 0;
    const metadata = this.#metadata;
    this.#metadata = {};
    this.emit(() => this.#output(chunk, metadata));
  }

  #restartTime(): void {
    this.#baseTimestamp = undefined;
    this.#framesIn = 0;
    this.#framesOut = 0;
    this.#filled = 0;
  }
}

/** Some browsers convert to planar floats only. */
function copyInterleaved(
  data: AudioDataLike,
  into: Float32Array,
  frameOffset: number,
  frameCount: number,
): void {
  const channels = data.numberOfChannels;
  if (channels === 1 || data.format === "f32") {
    data.copyTo(into, {
      planeIndex: 0,
      frameOffset,
      frameCount,
      format: channels === 1 ? "f32-planar" : "f32",
    });
    return;
  }
  const plane = new Float32Array(frameCount);
  for (let planeIndex = 0; planeIndex < channels; planeIndex++) {
    data.copyTo(plane, { planeIndex, frameOffset, frameCount, format: "f32-planar" });
    for (let i = 0; i < frameCount; i++) into[i * channels + planeIndex] = plane[i]!;
  }
}
