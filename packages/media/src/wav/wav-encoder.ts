import { MediaError } from "../errors.ts";
import { encodeSamples } from "../pcm/encode-samples.ts";
import { bytesPerSample, type SampleEncoding } from "../pcm/sample-format.ts";
import type { WavChunk } from "./wav-parser.ts";

/** How to write a WAV file. */
export interface WavWriteOptions {
  readonly sampleRate: number;
  readonly channels: number;
  /** Default "s16". */
  readonly encoding?: SampleEncoding | undefined;
  /** Speaker positions (dwChannelMask); default the usual ones for 1 to 8 channels. */
  readonly channelMask?: number | undefined;
  /** Metadata chunks in front of the sound (`bext` belongs here). */
  readonly chunks?: readonly WavChunk[] | undefined;
  /** Metadata chunks behind the sound. */
  readonly trailingChunks?: readonly WavChunk[] | undefined;
}

/** WAVE speaker masks by number of channels (mmreg.h): FC; FL FR; FL FR FC; quad; 5.0; 5.1; 6.1; 7.1. */
const defaultMasks = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x13f, 0x63f];

/**
 * Makes the bytes of a WAV file piece by piece, for any sink: `header`, then `write` per block, then `trailer`. A sink that
 * can seek writes `header(frames)` once more over the first; it has the same length. Where the file outgrows 4 GiB the
 * header becomes RF64 (EBU Tech 3306) in the room kept by a `JUNK` chunk. A sink that cannot seek gets a header with
 * unknown length (0xFFFFFFFF), which readers take as "to the end".
 */
export class WavEncoder {
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: SampleEncoding;
  readonly #mask: number;
  readonly #chunks: readonly WavChunk[];
  readonly #trailing: readonly WavChunk[];
  #frames = 0;

  /** @throws MediaError `media/bad-argument` for a rate, number of channels or chunk name that the format cannot hold */
  constructor(options: WavWriteOptions) {
    this.sampleRate = options.sampleRate;
    this.channels = options.channels;
    this.encoding = options.encoding ?? "s16";
    this.#mask = options.channelMask ?? defaultMasks[options.channels] ?? 0;
    this.#chunks = options.chunks ?? [];
    this.#trailing = options.trailingChunks ?? [];
    const { sampleRate, channels } = this;
    if (!(Number.isInteger(sampleRate) && sampleRate >= 1 && sampleRate <= 0xffff_ffff)) {
      throw new MediaError("media/bad-argument", `A WAV file cannot hold a rate of ${sampleRate} Hz.`);
    }
    if (!(Number.isInteger(channels) && channels >= 1 && this.frameBytes <= 0xffff)) {
      throw new MediaError("media/bad-argument", `A WAV file cannot hold ${channels} channels.`);
    }
    for (const { id } of [...this.#chunks, ...this.#trailing]) {
      if (!/^[\x20-\x7e]{4}$/.test(id) || ["fmt ", "data", "ds64"].includes(id)) {
        throw new MediaError("media/bad-argument", `${JSON.stringify(id)} is no name for a metadata chunk.`);
      }
    }
  }

  /** Bytes of one sample frame. */
  get frameBytes(): number {
    return this.channels * bytesPerSample[this.encoding];
  }

  /** Sample frames written so far. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Converts `frames` interleaved sample frames into `bytes[at...]`; returns the bytes written. Rounds half to even and
   * clips; allocates nothing.
   * @throws MediaError `media/bad-argument` where they do not fit
   */
  write(pcm: Float32Array, frames: number, bytes: Uint8Array, at = 0): number {
    encodeSamples(pcm, 0, frames * this.channels, this.encoding, false, bytes, at);
    this.#frames += frames;
    return frames * this.frameBytes;
  }

  /** @param frames length of the whole sound; undefined where it is not known and the sink cannot seek back */
  header(frames: number | undefined): Uint8Array {
    const dataBytes = frames === undefined ? undefined : frames * this.frameBytes;
    const format = this.#formatChunk();
    const chunks = this.#chunks.map(chunkBytes);
    const length = 12 + 36 + format.length + chunks.reduce((sum, chunk) => sum + chunk.length, 0) + 8;
    const trailing = this.#trailing.reduce((sum, chunk) => sum + chunkBytes(chunk).length, 0);
    const riffSize =
      dataBytes === undefined ? undefined : length - 8 + dataBytes + (dataBytes % 2) + trailing;
    const wide = riffSize !== undefined && riffSize > 0xffff_fffe;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    const size32 = (size: number | undefined) => (wide || size === undefined ? 0xffff_ffff : size);
    putText(bytes, 0, wide ? "RF64" : "RIFF");
    view.setUint32(4, size32(riffSize), true);
    putText(bytes, 8, "WAVE");
    putText(bytes, 12, wide ? "ds64" : "JUNK");
    view.setUint32(16, 28, true);
    if (wide) {
      putU64(view, 20, riffSize);
      putU64(view, 28, dataBytes ?? 0);
      putU64(view, 36, frames ?? 0);
    }
    let at = 48;
    for (const chunk of [format, ...chunks]) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    putText(bytes, at, "data");
    view.setUint32(at + 4, size32(dataBytes), true);
    return bytes;
  }

  /** What comes after the sound: the pad byte of an odd length, and the trailing chunks. */
  trailer(): Uint8Array {
    const pad = (this.#frames * this.frameBytes) % 2;
    return concatenate([new Uint8Array(pad), ...this.#trailing.map(chunkBytes)]);
  }

  /** WAVEFORMATEX for what old readers know (1 or 2 channels, 8 or 16 bits), else WAVEFORMATEXTENSIBLE. */
  #formatChunk(): Uint8Array {
    const float = this.encoding === "f32" || this.encoding === "f64";
    const size = bytesPerSample[this.encoding];
    const plain = this.channels <= 2 && (size <= 2 || float);
    const bytes = new Uint8Array(8 + (plain ? (float ? 18 : 16) : 40));
    const view = new DataView(bytes.buffer);
    putText(bytes, 0, "fmt ");
    view.setUint32(4, bytes.length - 8, true);
    const tag = float ? 3 : 1;
    view.setUint16(8, plain ? tag : 0xfffe, true);
    view.setUint16(10, this.channels, true);
    view.setUint32(12, this.sampleRate, true);
    view.setUint32(16, Math.min(this.sampleRate * this.frameBytes, 0xffff_ffff), true);
    view.setUint16(20, this.frameBytes, true);
    view.setUint16(22, 8 * size, true);
    if (!plain) {
      view.setUint16(24, 22, true);
      view.setUint16(26, 8 * size, true);
      view.setUint32(28, this.#mask, true);
      view.setUint16(32, tag, true);
      bytes.set([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71], 34);
    }
    return bytes;
  }
}

/** A whole WAV file in memory. @throws MediaError `media/bad-argument` */
export function encodeWav(pcm: Float32Array, options: WavWriteOptions): Uint8Array {
  const encoder = new WavEncoder(options);
  const frames = pcm.length / encoder.channels;
  if (!Number.isInteger(frames)) {
    throw new MediaError(
      "media/bad-argument",
      `${pcm.length} samples are no whole frames of ${encoder.channels} channels.`,
    );
  }
  const sound = new Uint8Array(frames * encoder.frameBytes);
  encoder.write(pcm, frames, sound);
  return concatenate([encoder.header(frames), sound, encoder.trailer()]);
}

function chunkBytes({ id, bytes }: WavChunk): Uint8Array {
  const chunk = new Uint8Array(8 + bytes.length + (bytes.length % 2));
  putText(chunk, 0, id);
  new DataView(chunk.buffer).setUint32(4, bytes.length, true);
  chunk.set(bytes, 8);
  return chunk;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

function putU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 0x1_0000_0000, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}
