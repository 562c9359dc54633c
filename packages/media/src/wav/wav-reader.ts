import { MediaError } from "../errors.ts";
import { decodeSamples } from "../pcm/decode-samples.ts";
import { type WavFormat, wavFrameBytes } from "./wav-format.ts";
import { type WavChunk, type WavLimits, WavParser } from "./wav-parser.ts";

/** What is known of a WAV file after its header. */
export interface WavHead {
  readonly format: WavFormat;
  /** Sample frames that the header promises; undefined where the writer could not know. */
  readonly frames: number | undefined;
}

/** Receives sound as floats. `pcm[0, frames * channels)` is interleaved and valid only during the call. */
export type PcmHandler = (pcm: Float32Array, frames: number) => void;

/** Sample frames that one call of the handler gets at most. */
const framesPerCall = 4096;

/**
 * Streaming WAV reader: push pieces of the file, get interleaved floats. Nothing is allocated per piece once the format
 * is known. Sample frames cut by the end of a piece are put together; a cut frame at the very end is dropped.
 *
 * @example
 * const reader = new WavReader((pcm, frames) => meter.push(pcm, frames));
 * for await (const piece of file) reader.push(piece);
 * const { truncated } = reader.end();
 */
export class WavReader {
  readonly #parser: WavParser;
  readonly #onPcm: PcmHandler;
  readonly #onHead: ((head: WavHead) => void) | undefined;
  #head: WavHead | undefined;
  #pcm = new Float32Array(0);
  #partial = new Uint8Array(0);
  #partialLength = 0;
  #frames = 0;

  constructor(
    onPcm: PcmHandler,
    options: { limits?: Partial<WavLimits>; onHead?: (head: WavHead) => void } = {},
  ) {
    this.#onPcm = onPcm;
    this.#onHead = options.onHead;
    this.#parser = new WavParser(
      {
        format: (format, frames) => this.#start(format, frames),
        data: (bytes, start, end) => this.#decode(bytes, start, end),
      },
      options.limits,
    );
  }

  /** Format and promised length, once the header was read. */
  get head(): WavHead | undefined {
    return this.#head;
  }

  /** Sample frames handed out so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Metadata chunks (`bext`, `iXML`, `guan`, `LIST`, ...) read so far, byte for byte. */
  get chunks(): readonly WavChunk[] {
    return this.#parser.chunks;
  }

  /** Chunks that were over a limit, or a second sound chunk, and were passed over. */
  get skippedChunks(): number {
    return this.#parser.skippedChunks;
  }

  /** Takes the next piece of the file. @throws MediaError as `WavParser.push` */
  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  /** Says that the file ends here. @throws MediaError as `WavParser.end` */
  end(): { readonly truncated: boolean } {
    const { truncated } = this.#parser.end();
    return { truncated: truncated || this.#partialLength > 0 };
  }

  #start(format: WavFormat, frames: number | undefined): void {
    this.#head = { format, frames };
    this.#pcm = new Float32Array(framesPerCall * format.channels);
    this.#partial = new Uint8Array(wavFrameBytes(format));
    this.#onHead?.(this.#head);
  }

  #decode(bytes: Uint8Array, start: number, end: number): void {
    const frameBytes = this.#partial.length;
    let at = start;
    if (this.#partialLength > 0) {
      while (at < end && this.#partialLength < frameBytes)
        this.#partial[this.#partialLength++] = bytes[at++]!;
      if (this.#partialLength < frameBytes) return;
      this.#emit(this.#partial, 0, 1);
      this.#partialLength = 0;
    }
    while (end - at >= frameBytes) {
      const frames = Math.min(framesPerCall, Math.floor((end - at) / frameBytes));
      this.#emit(bytes, at, frames);
      at += frames * frameBytes;
    }
    while (at < end) this.#partial[this.#partialLength++] = bytes[at++]!;
  }

  #emit(bytes: Uint8Array, start: number, frames: number): void {
    const format = this.#head?.format;
    if (format === undefined) throw new MediaError("media/bad-state", "Sound before its format.");
    decodeSamples(bytes, start, format.encoding, format.bigEndian, this.#pcm, 0, frames * format.channels);
    this.#frames += frames;
    this.#onPcm(this.#pcm, frames);
  }
}
