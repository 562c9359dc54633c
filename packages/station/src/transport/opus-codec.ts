import { OpusDecoder, OpusEncoder } from "@longwave/opus";
import { blockFrames, stationChannels, stationRateHz } from "../sound.ts";
import type { BlockCodec } from "./block-codec.ts";

/** Settings of the programme's encoder. */
export interface OpusCodecOptions {
  /** Default 96,000: transparent for most music in stereo. */
  readonly bitrateBps?: number;
  /** 0 to 10, default 5: music gains little above, time doubles. */
  readonly complexity?: number;
}

/** Longest packet of one frame (RFC 6716 section 3.4, R2) with its first byte. */
const maxPacketBytes = 1276;

/** Opus in one packet a block: 20 ms at 48 kHz, stereo. Lost blocks are concealed by the decoder itself. */
export class OpusCodec implements BlockCodec {
  readonly name: string;
  readonly packetsPerBlock: number = 1;
  readonly #encoder: OpusEncoder;
  readonly #decoder: OpusDecoder;
  readonly #packet = new Uint8Array(maxPacketBytes);
  /** Views of the packet by length: packets come in few lengths. */
  readonly #views = new Map<number, Uint8Array>();

  constructor(options: OpusCodecOptions = {}) {
    const bitrateBps = options.bitrateBps ?? 96_000;
    this.name = `Opus, ${bitrateBps / 1000} kbit/s`;
    this.#encoder = new OpusEncoder({
      sampleRate: stationRateHz,
      channels: stationChannels,
      application: "audio",
      bitrateBps,
      complexity: options.complexity ?? 5,
    });
    this.#decoder = new OpusDecoder({ sampleRate: stationRateHz, channels: stationChannels });
  }

  encode(block: Float32Array, send: (packet: Uint8Array) => void): void {
    const bytes = this.#encoder.encode(block, this.#packet);
    let view = this.#views.get(bytes);
    if (view === undefined) {
      view = this.#packet.subarray(0, bytes);
      this.#views.set(bytes, view);
    }
    send(view);
  }

  decode(bytes: Uint8Array, start: number, end: number, _part: number, block: Float32Array): boolean {
    const frames = this.#decoder.tryDecode(bytes.subarray(start, end), block);
    return frames === blockFrames;
  }

  conceal(block: Float32Array): void {
    this.#decoder.decode(null, block, blockFrames);
  }
}
