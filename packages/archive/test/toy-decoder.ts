import { BaseError } from "@longwave/base";
import { type OpusHead, opusPacketFrames, type SeekableDecoder } from "@longwave/media";

/**
 * A decoder with the properties that matter to the archive and nothing else: its memory halves with every packet (so it
 * converges after about 20), unless a packet says to keep it for ever, as tonal SILK does; concealment has a state of its
 * own that packets do not touch. Integer arithmetic, so equality is equality.
 */
export class ToyDecoder implements SeekableDecoder {
  readonly profile: string;
  readonly channels: number;
  readonly maxStateBytes = 12;
  readonly #gain: number;
  #memory = 0;
  #sticky = 0;
  #noise = 1;
  decodedPackets = 0;

  constructor(head: OpusHead, profile: string) {
    this.profile = profile;
    this.channels = head.channels;
    this.#gain = 1 + head.gainQ8 / 256;
  }

  reset(): void {
    this.#memory = 0;
    this.#sticky = 0;
    this.#noise = 1;
  }

  decode(packet: Uint8Array | null, out: Float32Array, frames = 960): number {
    this.decodedPackets++;
    const dtx = packet !== null && packet.length === 1;
    const length = packet === null ? frames : opusPacketFrames(packet);
    if (length === 0 || packet?.[1] === 255) throw new BaseError("toy/bad", "malformed", "Not a packet.");
    if (packet === null || dtx) {
      this.#noise = (Math.imul(this.#noise, 1664525) + 1013904223) | 0;
      for (let i = 0; i < length * this.channels; i++) out[i] = ((this.#noise >> 16) / 65536) * this.#gain;
      return length;
    }
    let sum = 0;
    for (const byte of packet) sum = (Math.imul(sum, 31) + byte) | 0;
    this.#memory = (this.#memory >> 1) ^ (sum & 0x3fffff);
    if (packet[1] === 254) this.#sticky = (this.#sticky + sum) | 0;
    else if (packet[1] === 253) this.#sticky = 0;
    for (let i = 0; i < length * this.channels; i++) {
      const value = Math.imul(this.#memory + this.#sticky, i + 1) >> 8;
      out[i] = (value / 0x1000000) * this.#gain;
    }
    return length;
  }

  saveState(into: Uint8Array, sections: "live" | "all"): number {
    const view = new DataView(into.buffer, into.byteOffset);
    view.setInt32(0, this.#memory, true);
    view.setInt32(4, this.#sticky, true);
    if (sections === "live") return 8;
    view.setInt32(8, this.#noise, true);
    return 12;
  }

  loadState(from: Uint8Array): void {
    if (from.length !== 8 && from.length !== 12)
      throw new BaseError("toy/bad-state", "malformed", "Not a state.");
    const view = new DataView(from.buffer, from.byteOffset);
    this.#memory = view.getInt32(0, true);
    this.#sticky = view.getInt32(4, true);
    this.#noise = from.length === 12 ? view.getInt32(8, true) : 1;
  }

  liveStateDigest(into: Uint32Array): void {
    into.fill(0);
    into[0] = this.#memory >>> 0;
    into[1] = this.#sticky >>> 0;
  }

  close(): void {}
}
