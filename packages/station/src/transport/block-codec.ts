import { blockFrames, stationChannels } from "../sound.ts";

/**
 * Turns blocks into packets and back. A block becomes `packetsPerBlock` packets, in order; a packet's number says which part of
 * which block it is.
 */
export interface BlockCodec {
  /** In words, for people. */
  readonly name: string;
  readonly packetsPerBlock: number;
  /** Encodes a block; `send` gets each packet, valid only during the call. */
  encode(block: Float32Array, send: (packet: Uint8Array) => void): void;
  /** Decodes `bytes[start, end)`, part `part` of a block, into its place in `block`. False where it cannot be decoded. */
  decode(bytes: Uint8Array, start: number, end: number, part: number, block: Float32Array): boolean;
  /** Fills a block that was lost from what came before. */
  conceal(block: Float32Array): void;
}

const parts = 3;
const samplesPerPart = (blockFrames * stationChannels) / parts;

/** Linear PCM, 16 bits, little-endian: three packets of 1,280 bytes a block, 1.5 Mbit/s. */
export class PcmCodec implements BlockCodec {
  readonly name = "16-bit PCM, 1536 kbit/s";
  readonly packetsPerBlock: number = parts;
  readonly #packet = new Uint8Array(2 * samplesPerPart);
  readonly #last = new Float32Array(blockFrames * stationChannels);

  encode(block: Float32Array, send: (packet: Uint8Array) => void): void {
    const packet = this.#packet;
    for (let part = 0; part < parts; part++) {
      for (let i = 0; i < samplesPerPart; i++) {
        const sample = block[part * samplesPerPart + i]!;
        const value = Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
        packet[2 * i] = value;
        packet[2 * i + 1] = value >> 8;
      }
      send(packet);
    }
  }

  decode(bytes: Uint8Array, start: number, end: number, part: number, block: Float32Array): boolean {
    if (end - start !== 2 * samplesPerPart) return false;
    const base = part * samplesPerPart;
    for (let i = 0; i < samplesPerPart; i++) {
      const value = bytes[start + 2 * i]! | (bytes[start + 2 * i + 1]! << 8);
      block[base + i] = ((value << 16) >> 16) / 32767;
    }
    if (part === parts - 1) this.#last.set(block);
    return true;
  }

  /** The block before once more, fading out. */
  conceal(block: Float32Array): void {
    for (let i = 0; i < block.length; i++) block[i] = this.#last[i]! * (1 - i / block.length);
    this.#last.fill(0);
  }
}
