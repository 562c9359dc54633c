import { isLongwaveError } from "@longwave/base";
import type { DecoderFactory, OpusHead, SeekableDecoder } from "@longwave/media";
import { maxPacketFrames } from "./packet-item.ts";

/**
 * One decoder per output gain: a recording's segments may differ in gain, never in channels. Sequential decode and every
 * trial or read share this class, so that "the same operations" holds by construction.
 */
export class SegmentDecoder {
  readonly #create: DecoderFactory;
  readonly #profile: string;
  readonly #byGain = new Map<number, SeekableDecoder>();
  #current: SeekableDecoder | undefined;
  /** Output of the last packet, interleaved; valid until the next one. */
  readonly pcm: Float32Array;
  /** The same values as bits, to compare them with. */
  readonly pcmBits: Int32Array;

  constructor(create: DecoderFactory, profile: string, channels: number) {
    this.#create = create;
    this.#profile = profile;
    this.pcm = new Float32Array(maxPacketFrames * channels);
    this.pcmBits = new Int32Array(this.pcm.buffer);
  }

  get decoder(): SeekableDecoder {
    if (this.#current === undefined) throw new Error("No segment was selected.");
    return this.#current;
  }

  /** Chooses the decoder of a segment without touching its state. */
  select(head: OpusHead): SeekableDecoder {
    let decoder = this.#byGain.get(head.gainQ8);
    if (decoder === undefined) {
      decoder = this.#create(head, this.#profile);
      this.#byGain.set(head.gainQ8, decoder);
    }
    this.#current = decoder;
    return decoder;
  }

  /** Fresh start of a segment. */
  start(head: OpusHead): void {
    this.select(head).reset();
  }

  /**
   * Decodes into `pcm`. A packet that the decoder refuses is concealed for `frames` instead.
   * @param wanted false: nobody reads the samples, only the state goes on
   * @returns true where concealment stood in for a malformed packet
   */
  decode(data: Uint8Array | undefined, frames: number, concealed: boolean, wanted = true): boolean {
    if (concealed || data === undefined) {
      this.#put(null, frames, wanted);
      return false;
    }
    try {
      this.#put(data, frames, wanted);
      return false;
    } catch (error) {
      if (!isLongwaveError(error) || error.kind !== "malformed") throw error;
      this.#put(null, frames, wanted);
      return true;
    }
  }

  #put(data: Uint8Array | null, frames: number, wanted: boolean): void {
    const decoder = this.decoder;
    if (wanted || decoder.follow === undefined) decoder.decode(data, this.pcm, frames);
    else decoder.follow(data, frames);
  }

  close(): void {
    for (const decoder of this.#byGain.values()) decoder.close();
    this.#byGain.clear();
    this.#current = undefined;
  }
}
