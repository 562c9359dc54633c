import { plainOpusHead } from "@longwave/media";
import type { PacketItem } from "./packet-item.ts";

/** An Opus encoder as an import needs it; `OpusEncoder` of `@longwave/opus` is one. */
export interface PacketEncoder {
  /** Encodes 20 ms (960 sample frames at 48 kHz, interleaved) into `packet`; returns bytes. */
  encode(pcm: Float32Array, packet: Uint8Array): number;
  /** Sample frames at 48 kHz by which the decoded sound is late: the pre-skip. */
  readonly lookahead: number;
  close(): void;
}

export type EncoderFactory = (form: {
  readonly channels: 1 | 2;
  readonly bitrateBps: number;
}) => PacketEncoder;

const frameSize = 960;
/** Largest packet of 20 ms: one frame of 1,275 bytes and its header (RFC 6716 section 3.4). */
const largestPacket = 1276;

/**
 * Turns sound at 48 kHz into the items of a recording of exactly as many sample frames: the pre-skip hides the encoder's
 * delay, the end trim what was added to fill the last packet.
 */
export class ItemEncoder {
  readonly #encoder: PacketEncoder;
  readonly #channels: number;
  readonly #block: Float32Array;
  readonly #packet = new Uint8Array(largestPacket);
  #items: PacketItem[];
  #filled = 0;
  /** Frames of sound taken, and frames in packets made. */
  #frames = 0;
  #coded = 0;

  constructor(create: EncoderFactory, channels: 1 | 2, bitrateBps: number, sourceRateHz: number) {
    this.#encoder = create({ channels, bitrateBps });
    this.#channels = channels;
    this.#block = new Float32Array(frameSize * channels);
    const head = { ...plainOpusHead(channels, this.#encoder.lookahead), inputSampleRate: sourceRateHz };
    this.#items = [{ type: "segment", head }];
  }

  /** Sample frames so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Adds `frames` interleaved sample frames. */
  push(pcm: Float32Array, frames: number): void {
    this.#frames += frames;
    for (let at = 0; at < frames; ) {
      const count = Math.min(frames - at, frameSize - this.#filled);
      const piece = pcm.subarray(at * this.#channels, (at + count) * this.#channels);
      this.#block.set(piece, this.#filled * this.#channels);
      this.#filled += count;
      at += count;
      if (this.#filled === frameSize) this.#encode(0);
    }
  }

  /** Items that are ready. */
  take(): PacketItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Ends the sound; take what is left afterwards. */
  finish(): void {
    const wanted = this.#frames + this.#encoder.lookahead;
    while (this.#frames > 0 && this.#coded < wanted) {
      this.#block.fill(0, this.#filled * this.#channels);
      this.#encode(Math.max(0, this.#coded + frameSize - wanted));
    }
  }

  close(): void {
    this.#encoder.close();
  }

  #encode(trimEnd: number): void {
    const bytes = this.#encoder.encode(this.#block, this.#packet);
    const data = this.#packet.slice(0, bytes);
    this.#items.push({ type: "packet", data, ...(trimEnd > 0 ? { trimEnd } : {}) });
    this.#coded += frameSize;
    this.#filled = 0;
  }
}
