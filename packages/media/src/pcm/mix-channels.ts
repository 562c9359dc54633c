import { MediaError } from "../errors.ts";

/** 1 / sqrt(2), the -3 dB of ITU-R BS.775. */
const half = Math.SQRT1_2;

/**
 * Left and right gains per input channel in WAVE order (FL FR FC LFE BL BR SL SR), ITU-R BS.775-4 annex 4: centre and
 * surrounds at -3 dB, LFE left out. Rows are scaled so that full-scale input cannot clip.
 */
const stereoGains: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  3: [
    [1, 0],
    [0, 1],
    [half, half],
  ],
  4: [
    [1, 0],
    [0, 1],
    [half, 0],
    [0, half],
  ],
  5: [
    [1, 0],
    [0, 1],
    [half, half],
    [half, 0],
    [0, half],
  ],
  6: [
    [1, 0],
    [0, 1],
    [half, half],
    [0, 0],
    [half, 0],
    [0, half],
  ],
  7: [
    [1, 0],
    [0, 1],
    [half, half],
    [0, 0],
    [half, half],
    [half, 0],
    [0, half],
  ],
  8: [
    [1, 0],
    [0, 1],
    [half, half],
    [0, 0],
    [half, 0],
    [0, half],
    [half, 0],
    [0, half],
  ],
};

/**
 * Gains `[to * from]`, row by row (one row an output channel), that turn `from` channels into `to`: identity; mono to any
 * number by copying; any number to mono by the mean; 3 to 8 channels in WAVE order to stereo by ITU-R BS.775.
 * @throws MediaError `media/channel-mix` for any other pair
 */
export function mixMatrix(from: number, to: number): Float64Array {
  const matrix = new Float64Array(from * to);
  const surround = stereoGains[from];
  if (from === to) {
    for (let c = 0; c < from; c++) matrix[c * from + c] = 1;
  } else if (from === 1) {
    matrix.fill(1);
  } else if (to === 1) {
    matrix.fill(1 / from);
  } else if (to === 2 && surround !== undefined) {
    const scale = 1 / surround.reduce((sum, gains) => sum + gains[0], 0);
    for (const [c, gains] of surround.entries()) {
      matrix[c] = gains[0] * scale;
      matrix[from + c] = gains[1] * scale;
    }
  } else {
    throw new MediaError(
      "media/channel-mix",
      `No rule turns ${from} channels into ${to}; ask for 1, 2 or ${from} channels.`,
    );
  }
  return matrix;
}

/**
 * Mixes `frames` interleaved sample frames of `from` channels at `pcm[0...]` into `to` channels at `into[0...]` with the
 * gains of `mixMatrix`. `into` may be `pcm` where `to <= from`. Sums in double, rounds once. Allocates nothing.
 */
export function mixChannels(
  pcm: Float32Array,
  from: number,
  into: Float32Array,
  to: number,
  frames: number,
  matrix: Float64Array,
): void {
  if (pcm.length < frames * from || into.length < frames * to || matrix.length !== from * to) {
    throw new MediaError("media/bad-argument", `${frames} frames do not fit the buffers given.`);
  }
  if (into.buffer === pcm.buffer && to > 1 && to !== from) {
    mixInPlace(pcm, from, into, to, frames, matrix);
    return;
  }
  for (let frame = 0; frame < frames; frame++) {
    for (let c = 0; c < to; c++) into[frame * to + c] = dot(pcm, frame * from, matrix, c * from, from);
  }
}

/** Two output channels share inputs, so both sums are taken before either is stored. */
function mixInPlace(
  pcm: Float32Array,
  from: number,
  into: Float32Array,
  to: number,
  frames: number,
  matrix: Float64Array,
): void {
  if (to > 2 || to > from) {
    throw new MediaError("media/bad-argument", "Mixing to more channels needs a buffer of its own.");
  }
  for (let frame = 0; frame < frames; frame++) {
    const left = dot(pcm, frame * from, matrix, 0, from);
    const right = dot(pcm, frame * from, matrix, from, from);
    into[frame * 2] = left;
    into[frame * 2 + 1] = right;
  }
}

function dot(pcm: Float32Array, at: number, gains: Float64Array, row: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += pcm[at + i]! * gains[row + i]!;
  return sum;
}
