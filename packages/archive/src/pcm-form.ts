import { mixChannels, mixMatrix } from "@longwave/media";

/** Makes a function that brings interleaved sound into so many channels; its result is valid until the next call. */
export function downmix(from: number, to: number): (pcm: Float32Array, frames: number) => Float32Array {
  if (from === to) return (pcm) => pcm;
  const matrix = mixMatrix(from, to);
  let mixed = new Float32Array(0);
  return (pcm, frames) => {
    if (mixed.length < frames * to) mixed = new Float32Array(frames * to);
    mixChannels(pcm, from, mixed, to, frames, matrix);
    return mixed;
  };
}
