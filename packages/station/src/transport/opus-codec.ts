import { OpusDecoder, OpusEncoder } from "@longwave/opus";
import { StationError } from "../errors.ts";
import { blockFrames, stationChannels, stationRateHz } from "../sound.ts";
import type { BlockCodec } from "./block-codec.ts";

/** Settings of the programme's encoder. */
export interface OpusSettings {
  /** 6,000 to 510,000 bit/s. */
  readonly bitrateBps: number;
  /** 0 to 10. */
  readonly complexity: number;
}

/** 96 kbit/s are transparent for most music in stereo; above complexity 5 music gains little and time doubles. */
export const defaultOpusSettings: OpusSettings = { bitrateBps: 96_000, complexity: 5 };

/** Longest packet of one frame (RFC 6716 section 3.4, R2) with its first byte. */
const maxPacketBytes = 1276;

/** Opus in one packet a block: 20 ms at 48 kHz, stereo. Lost blocks are concealed by the decoder itself. */
export class OpusCodec implements BlockCodec {
  readonly packetsPerBlock: number = 1;
  #settings: OpusSettings;
  readonly #encoder: OpusEncoder;
  readonly #decoder: OpusDecoder;
  readonly #packet = new Uint8Array(maxPacketBytes);
  /** Views of the packet by length: packets come in few lengths. */
  readonly #views = new Map<number, Uint8Array>();

  constructor(options: Partial<OpusSettings> = {}) {
    const { bitrateBps, complexity } = checkSettings({ ...defaultOpusSettings, ...options });
    this.#settings = { bitrateBps, complexity };
    this.#encoder = new OpusEncoder({
      sampleRate: stationRateHz,
      channels: stationChannels,
      application: "audio",
      bitrateBps,
      complexity,
    });
    this.#decoder = new OpusDecoder({ sampleRate: stationRateHz, channels: stationChannels });
  }

  get name(): string {
    return `Opus, ${this.#settings.bitrateBps / 1000} kbit/s`;
  }

  get settings(): OpusSettings {
    return this.#settings;
  }

  /** Changes the encoder from the next packet on. @throws StationError `station/bad-option` */
  change(change: Partial<OpusSettings>): OpusSettings {
    this.#settings = checkSettings({ ...this.#settings, ...change });
    this.#encoder.bitrateBps = this.#settings.bitrateBps;
    this.#encoder.complexity = this.#settings.complexity;
    return this.#settings;
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

function checkSettings(settings: OpusSettings): OpusSettings {
  const checkRange = (name: keyof OpusSettings, low: number, high: number) => {
    const value = settings[name];
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw new StationError("station/bad-option", "usage", `${name} must be ${low} to ${high}, not ${value}.`);
  };
  checkRange("bitrateBps", 6000, 510_000);
  checkRange("complexity", 0, 10);
  return { bitrateBps: settings.bitrateBps, complexity: settings.complexity };
}
