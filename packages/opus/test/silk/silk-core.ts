// Wraps assembly/test/silk-entry.ts: a SILK-only decoder for packets of one frame.
import { instantiateEntry } from "./compile-entry.ts";

export interface SilkExports {
  readonly memory: WebAssembly.Memory;
  packetAddress(): number;
  pcmAddress(): number;
  decoderAddress(): number;
  decoderBytes(): number;
  init(): void;
  decode(
    size: number,
    payloadMs: number,
    internalHz: number,
    internalChannels: number,
    apiHz: number,
    apiChannels: number,
    loss: number,
  ): number;
  finalRange(): number;
  valid(): number;
}

/** An instance of the SILK-only core. */
export function createSilkCore(): Promise<SilkExports> {
  return instantiateEntry<SilkExports>("silk-entry");
}

/** Decoder of SILK-only packets with one frame (frame code 0). */
export class SilkOnlyDecoder {
  readonly #core: SilkExports;
  readonly #rateHz: number;
  readonly #channels: number;
  #internalHz = 16000;
  #internalChannels = 1;

  constructor(core: SilkExports, rateHz: number, channels: number) {
    this.#core = core;
    this.#rateHz = rateHz;
    this.#channels = channels;
    core.init();
  }

  get finalRange(): number {
    return this.#core.finalRange() >>> 0;
  }

  decode(packet: Uint8Array): Int16Array {
    const frameMs = this.#readToc(packet);
    return this.#run(packet, frameMs, 0);
  }

  /** The redundancy of `packet` for the frame before it. */
  decodeFec(packet: Uint8Array): Int16Array {
    const frameMs = this.#readToc(packet);
    return this.#run(packet, frameMs, 2);
  }

  /** Conceals `milliseconds`, in pieces of 20 ms as the Opus layer does. */
  conceal(milliseconds: number): Int16Array {
    const parts: Int16Array[] = [];
    for (let left = milliseconds; left > 0; left -= 20)
      parts.push(this.#run(undefined, Math.min(left, 20), 1));
    const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #readToc(packet: Uint8Array): number {
    const toc = packet[0]!;
    const configuration = toc >> 3;
    if (configuration >= 12 || (toc & 3) !== 0) throw new Error(`not a single SILK frame: TOC ${toc}`);
    this.#internalHz = [8000, 12000, 16000][configuration >> 2]!;
    this.#internalChannels = (toc & 4) !== 0 ? 2 : 1;
    return [10, 20, 40, 60][configuration & 3]!;
  }

  #run(packet: Uint8Array | undefined, frameMs: number, loss: number): Int16Array {
    const core = this.#core;
    const size = packet === undefined ? 0 : packet.length - 1;
    if (packet !== undefined)
      new Uint8Array(core.memory.buffer, core.packetAddress()).set(packet.subarray(1));
    const frames = core.decode(
      size,
      frameMs,
      this.#internalHz,
      this.#internalChannels,
      this.#rateHz,
      this.#channels,
      loss,
    );
    const pcm = new Float32Array(core.memory.buffer, core.pcmAddress(), frames * this.#channels);
    return Int16Array.from(pcm, (sample) => sample * 32768);
  }
}
