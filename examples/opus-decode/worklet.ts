// An AudioWorklet that decodes while it plays: packets arrive by message, a ring buffer bridges 20 ms packets and blocks
// of 128 frames, a missing packet is concealed. The decoder starts synchronously, so nothing has to be awaited here.
import { SampleRing } from "@longwave/base";
import { OpusDecoder } from "@longwave/opus/decoder";

declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class OpusPlayer extends AudioWorkletProcessor {
  readonly #decoder = new OpusDecoder();
  readonly #pcm = new Float32Array(5760 * 2);
  readonly #ring = new SampleRing(48000 * 2);
  readonly #block = new Float32Array(128 * 2);

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<Uint8Array | null>) => {
      const frames = this.#decoder.decode(data, this.#pcm);
      this.#ring.write(this.#pcm, 0, frames * 2);
    };
  }

  process(_inputs: unknown, [output]: Float32Array[][]): boolean {
    const [left, right] = output as [Float32Array, Float32Array];
    if (this.#ring.length < this.#block.length) return true; // not enough yet: silence
    this.#ring.read(this.#block);
    for (let i = 0; i < 128; i++) {
      left[i] = this.#block[2 * i]!;
      right[i] = this.#block[2 * i + 1]!;
    }
    return true;
  }
}

registerProcessor("opus-player", OpusPlayer);
