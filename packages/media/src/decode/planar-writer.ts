import type { PcmSink } from "./pcm-sink.ts";

/** What the WASM decoders return. */
export interface PlanarBlock {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
}

/** Sample frames handed to the sink at once. */
const framesPerWrite = 8192;

/** Interleaves planar blocks into a sink through one buffer of its own. */
export class PlanarWriter {
  readonly #sink: PcmSink;
  readonly #channels: number;
  readonly #interleaved: Float32Array;

  constructor(sink: PcmSink, channels: number) {
    this.#sink = sink;
    this.#channels = channels;
    this.#interleaved = new Float32Array(framesPerWrite * channels);
  }

  /** Writes the first `channels` planes; a plane that is missing is silence. */
  write(block: PlanarBlock): void {
    const channels = this.#channels;
    for (let start = 0; start < block.samplesDecoded; start += framesPerWrite) {
      const frames = Math.min(framesPerWrite, block.samplesDecoded - start);
      for (let c = 0; c < channels; c++) {
        const plane = block.channelData[c];
        for (let i = 0; i < frames; i++) this.#interleaved[i * channels + c] = plane?.[start + i] ?? 0;
      }
      this.#sink.write(this.#interleaved, frames);
    }
  }
}
