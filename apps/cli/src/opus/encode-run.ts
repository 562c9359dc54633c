import { OggOpusWriter, type OpusHead, type OpusTags } from "@longwave/media";
import {
  createPacketInfo,
  type FrameMs,
  type MappingFamily,
  OpusEncoder,
  type OpusEncoderSettings,
  OpusMultistreamEncoder,
  parsePacket,
  type SampleRate,
} from "@longwave/opus";

export interface EncodeRunOptions {
  readonly sampleRate: SampleRate;
  readonly channels: number;
  readonly family: MappingFamily;
  readonly application: "voip" | "audio" | "lowdelay";
  readonly frameMs: FrameMs;
  readonly settings: Partial<OpusEncoderSettings>;
  readonly waveOrder: boolean;
}

/** Per number of channels: the channel of the WAVE order at each place of the order of Vorbis. */
const vorbisFromWave: Readonly<Record<number, readonly number[]>> = {
  3: [0, 2, 1],
  5: [0, 2, 1, 3, 4],
  6: [0, 2, 1, 4, 5, 3],
  7: [0, 2, 1, 5, 6, 4, 3],
  8: [0, 2, 1, 6, 7, 4, 5, 3],
};

/** One encoding: samples in, packets out, and what there is to say about them. */
export class EncodeRun {
  readonly #encoder: OpusEncoder | OpusMultistreamEncoder;
  readonly #options: EncodeRunOptions;
  readonly #order: readonly number[] | undefined;
  readonly #frame: Float32Array;
  readonly #packet: Uint8Array;
  readonly #info = createPacketInfo();
  readonly #onPacket: (packet: Uint8Array, finalRange: number) => void;
  #filled = 0;
  /** Sample frames taken in, and encoded. */
  frames = 0;
  packets = 0;
  bytes = 0;
  smallest: number = Number.POSITIVE_INFINITY;
  largest = 0;
  /** Packets by mode of their first stream. */
  readonly modes = { silk: 0, hybrid: 0, celt: 0 };
  readonly bandwidths: Record<string, number> = {};
  readonly ranges: string[] = [];

  constructor(options: EncodeRunOptions, onPacket: (packet: Uint8Array, finalRange: number) => void) {
    const { sampleRate, channels, family, application, settings, frameMs } = options;
    this.#options = options;
    this.#onPacket = onPacket;
    if (family === 0) {
      this.#encoder = new OpusEncoder({ sampleRate, channels: channels as 1 | 2, application, ...settings });
    } else {
      this.#encoder = new OpusMultistreamEncoder({ sampleRate, channels, family, application, ...settings });
    }
    this.#order = family === 1 && options.waveOrder ? vorbisFromWave[channels] : undefined;
    this.#frame = new Float32Array((sampleRate * frameMs * channels) / 1000);
    this.#packet = new Uint8Array(1277 * 6 * Math.max(1, this.streams));
  }

  get streams(): number {
    return this.#encoder instanceof OpusEncoder ? 1 : this.#encoder.streams;
  }

  get coupled(): number {
    return this.#encoder instanceof OpusEncoder ? this.#encoder.channels - 1 : this.#encoder.coupled;
  }

  /** Frames at 48 kHz by which the sound is late. */
  get preSkip(): number {
    return (this.#encoder.lookahead * 48000) / this.#options.sampleRate;
  }

  head(inputSampleRate: number): OpusHead {
    const encoder = this.#encoder;
    const { channels, family } = this.#options;
    const matrix = encoder instanceof OpusEncoder ? undefined : encoder.demixingMatrix;
    return {
      channels,
      preSkip: this.preSkip,
      inputSampleRate,
      gainQ8: encoder instanceof OpusEncoder ? 0 : encoder.demixingGainQ8,
      family,
      streams: this.streams,
      coupled: this.coupled,
      mapping: encoder instanceof OpusEncoder ? Uint8Array.of(0, 1).slice(0, channels) : encoder.mapping,
      ...(matrix && { demixingMatrix: matrix }),
    };
  }

  /** Takes interleaved samples, whole frames. */
  push(pcm: Float32Array): void {
    const { channels } = this.#options;
    const order = this.#order;
    const frame = this.#frame;
    for (let at = 0; at < pcm.length; at += channels) {
      for (let channel = 0; channel < channels; channel++) {
        frame[this.#filled++] = pcm[at + (order?.[channel] ?? channel)]!;
      }
      if (this.#filled === frame.length) this.#encode();
    }
    this.frames += pcm.length / channels;
  }

  /** Encodes silence behind the end until the last sample has come out of the look-ahead. Returns the length at 48 kHz. */
  finish(): number {
    const factor = 48000 / this.#options.sampleRate;
    const length48k = this.frames * factor;
    const packet48k = (this.#frame.length / this.#options.channels) * factor;
    while (this.packets * packet48k < this.preSkip + length48k) {
      this.#frame.fill(0, this.#filled);
      this.#encode();
    }
    return length48k;
  }

  close(): void {
    this.#encoder.close();
  }

  #encode(): void {
    this.#filled = 0;
    const bytes = this.#encoder.encode(this.#frame, this.#packet);
    const packet = this.#packet.subarray(0, bytes);
    this.packets++;
    this.bytes += bytes;
    this.smallest = Math.min(this.smallest, bytes);
    this.largest = Math.max(this.largest, bytes);
    const info = this.#info;
    // Of several streams the first tells; its framing is not that of a packet of its own.
    parsePacket(this.streams === 1 ? packet : Uint8Array.of(packet[0]! & 0xfc), info);
    this.modes[info.mode]++;
    this.bandwidths[info.bandwidth] = (this.bandwidths[info.bandwidth] ?? 0) + 1;
    const { finalRange } = this.#encoder;
    const duration = (this.#frame.length / this.#options.channels) * (48000 / this.#options.sampleRate);
    this.ranges.push(`${bytes}, ${finalRange}, ${duration}\n`);
    this.#onPacket(packet, finalRange);
  }
}

/** Where packets go: Ogg Opus, or the `.bit` framing of the conformance suite. */
export interface PacketSink {
  write(packet: Uint8Array, finalRange: number): void;
  finish(length48k: number): void;
}

export function oggSink(
  put: (bytes: Uint8Array) => void,
  head: OpusHead,
  tags: OpusTags,
  serial: number,
  maxDelayMs: number,
): PacketSink {
  const writer = new OggOpusWriter(put, { head, tags, serial, maxDelayMs });
  return { write: (packet) => writer.write(packet), finish: (length48k) => writer.finish(length48k) };
}

/** u32 length and u32 final range, big-endian, before every packet. */
export function bitSink(put: (bytes: Uint8Array) => void): PacketSink {
  return {
    write: (packet, finalRange) => {
      const bytes = Buffer.alloc(8 + packet.length);
      bytes.writeUInt32BE(packet.length, 0);
      bytes.writeUInt32BE(finalRange, 4);
      bytes.set(packet, 8);
      put(bytes);
    },
    finish: () => undefined,
  };
}
