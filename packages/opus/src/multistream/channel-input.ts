import type { CoreInstance } from "../core.ts";
import type { EncoderExports } from "../encoder-core.ts";
import type { ChannelLayout } from "./channel-layout.ts";

export type Pcm = Float32Array | Int16Array | Int32Array;

// Formats of the core's `encode`; see assembly/encoder-exports.ts.
const floats = 0;
const int16 = 1;
const int24 = 2;
const mixed16 = 3;
const mixed24 = 4;

const unit16 = Math.fround(1 / 32768);
const unit24 = Math.fround(1 / 8388608);
const unit32 = Math.fround(1 / (32768 * 32768));

/** Puts channels of interleaved input where the core takes the samples of one stream, mixed on the way for family 3. */
export class ChannelInput {
  readonly #core: CoreInstance<EncoderExports>;
  readonly #layout: ChannelLayout;

  constructor(core: CoreInstance<EncoderExports>, layout: ChannelLayout) {
    this.#core = core;
    this.#layout = layout;
  }

  /** One channel as floats, not mixed. */
  takeFloats(pcm: Pcm, channel: number, frames: number): void {
    this.#scale(pcm, channel, frames, this.#core.pcmFloatAt >> 2, 1);
  }

  /** One channel, or two (`right` not -1) interleaved; returns the format in which they are. */
  take(pcm: Pcm, left: number, right: number, frames: number): number {
    const core = this.#core;
    const stride = right < 0 ? 1 : 2;
    if (this.#layout.projection !== undefined) {
      const heard = core.pcmIntegerAt >> 2;
      this.#mix(pcm, left, frames, core.pcmFloatAt >> 2, stride);
      this.#scale(pcm, left, frames, heard, stride);
      if (right >= 0) {
        this.#mix(pcm, right, frames, (core.pcmFloatAt >> 2) + 1, stride);
        this.#scale(pcm, right, frames, heard + 1, stride);
      }
      return pcm instanceof Int16Array ? mixed16 : mixed24;
    }
    const format = pcm instanceof Float32Array ? floats : pcm instanceof Int16Array ? int16 : int24;
    const memory = format === floats ? core.floats : format === int16 ? core.shorts : core.integers;
    const at = format === floats ? core.pcmFloatAt >> 2 : core.pcmIntegerAt >> (format === int16 ? 1 : 2);
    const { channels } = this.#layout;
    for (let i = 0; i < frames; i++) memory[at + i * stride] = pcm[i * channels + left]!;
    if (right >= 0) {
      for (let i = 0; i < frames; i++) memory[at + 1 + i * stride] = pcm[i * channels + right]!;
    }
    return format;
  }

  #scale(pcm: Pcm, channel: number, frames: number, to: number, stride: number): void {
    const { floats: memory } = this.#core;
    const { channels } = this.#layout;
    const unit = pcm instanceof Float32Array ? 1 : pcm instanceof Int16Array ? unit16 : unit24;
    for (let i = 0; i < frames; i++) memory[to + i * stride] = pcm[i * channels + channel]! * unit;
  }

  /** A row of the mixing matrix times the input, in the roundings of libopus. */
  #mix(pcm: Pcm, row: number, frames: number, to: number, stride: number): void {
    const { floats: memory } = this.#core;
    const { channels } = this.#layout;
    const { mixing, rows } = this.#layout.projection!;
    const exact = pcm instanceof Int32Array;
    const unit = pcm instanceof Float32Array ? unit16 : unit32;
    for (let i = 0; i < frames; i++) {
      let sum = 0;
      for (let column = 0; column < channels; column++) {
        const product = mixing[rows * column + row]! * pcm[i * channels + column]!;
        // 24-bit input is summed in 64 bits.
        sum = exact ? sum + product : Math.fround(sum + Math.fround(product));
      }
      memory[to + i * stride] = exact ? Math.fround(unit16 * Math.fround(sum)) * unit24 : unit * sum;
    }
  }
}
