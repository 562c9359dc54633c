// Wraps assembly/test/silk-encoder-entry.ts: a SILK encoder with a fixed bandwidth and channel count, and what the
// Opus layer does around it.
import { instantiateEntry } from "./compile-entry.ts";

export interface SilkEncoderExports {
  readonly memory: WebAssembly.Memory;
  packetAddress(): number;
  inputAddress(): number;
  stateAddress(): number;
  stateBytes(): number;
  init(rateHz: number, channels: number, voip: number): void;
  encode(
    frames: number,
    bandwidthHz: number,
    streamChannels: number,
    bitrateBps: number,
    vbr: number,
    complexity: number,
    lossPercent: number,
    fec: number,
    dtx: number,
    maxBytes: number,
    analysis: number,
  ): number;
}

export interface SilkEncoderSettings {
  readonly rateHz: number;
  readonly channels: 1 | 2;
  readonly voip: boolean;
  readonly bandwidthHz: number;
  readonly streamChannels: number;
  readonly bitrateBps: number;
  readonly vbr: boolean;
  readonly complexity: number;
  readonly lossPercent: number;
  readonly fec: boolean;
  readonly dtx: boolean;
}

export function createSilkEncoderCore(): Promise<SilkEncoderExports> {
  return instantiateEntry<SilkEncoderExports>("silk-encoder-entry");
}

/** The oracle wrapper's default; the packet limit takes part in the rate control. */
const MAX_BYTES = 4000;

export class SilkOnlyEncoder {
  readonly #core: SilkEncoderExports;
  readonly #settings: SilkEncoderSettings;

  constructor(core: SilkEncoderExports, settings: SilkEncoderSettings) {
    this.#core = core;
    this.#settings = settings;
    core.init(settings.rateHz, settings.channels, settings.voip ? 1 : 0);
  }

  /** Copy of the whole state. */
  snapshot(): Uint8Array {
    return this.#state().slice();
  }

  restore(state: Uint8Array): void {
    this.#state().set(state);
  }

  /** `analysis`: activity as the music and speech analysis sees it, -1 where it does not run. */
  encode(pcm: Int16Array, analysis: -1 | 0 | 1): Uint8Array {
    const core = this.#core;
    const s = this.#settings;
    const input = new Float32Array(core.memory.buffer, core.inputAddress(), pcm.length);
    for (let i = 0; i < pcm.length; i++) input[i] = pcm[i]! / 32768;
    const bytes = core.encode(
      pcm.length / s.channels,
      s.bandwidthHz,
      s.streamChannels,
      s.bitrateBps,
      s.vbr ? 1 : 0,
      s.complexity,
      s.lossPercent,
      s.fec ? 1 : 0,
      s.dtx ? 1 : 0,
      MAX_BYTES,
      analysis,
    );
    return new Uint8Array(core.memory.buffer, core.packetAddress(), bytes).slice();
  }

  #state(): Uint8Array {
    return new Uint8Array(this.#core.memory.buffer, this.#core.stateAddress(), this.#core.stateBytes());
  }
}

/** Fills a packet of one frame to `size` bytes as constant bit rate does (frame code 3 with padding). */
export function padSingleFrame(packet: Uint8Array, size: number): Uint8Array {
  if (packet.length >= size) return packet;
  const padded = new Uint8Array(size);
  padded[0] = (packet[0]! & 0xfc) | 3;
  padded[1] = 1;
  let at = 2;
  const amount = size - (packet.length + 1);
  if (amount > 0) {
    padded[1] = 0x41;
    for (let rest = amount - 1; ; rest -= 255) {
      padded[at++] = Math.min(rest, 255);
      if (rest < 255) break;
    }
  }
  padded.set(packet.subarray(1), at);
  return padded;
}
