/**
 * The grid of `keymark-v1`: sound at 16 kHz, frames of 64 ms, cells of 64 ms by 78 Hz between 375 and 6,000 Hz, a
 * pattern of 32 by 72 cells that repeats every 2.048 s. Constants of the format: another value is another format.
 */
export const geometry = {
  /** Rate in Hz of the sound that carries the mark; what is above its Nyquist frequency is left alone. */
  sampleRate: 16_000,
  /** Samples of a frame; the window is Hann's square root when embedding, Hann's when detecting. */
  frame: 1024,
  /** Samples from one frame to the next when embedding. */
  embedHop: 256,
  /** Samples from one frame to the next when detecting: the step of the search for the pattern's start. */
  detectHop: 128,
  firstBin: 24,
  binsPerBand: 5,
  bands: 72,
  /** Cells of the pattern in time, and frames of each when embedding. */
  slots: 32,
  embedFramesPerSlot: 4,
} as const;

/** Frames of one period when detecting: 256. */
export const detectFramesPerPeriod: number =
  (geometry.slots * geometry.embedFramesPerSlot * geometry.embedHop) / geometry.detectHop;

/** Frames of one cell when detecting: 8. */
export const detectFramesPerSlot: number = detectFramesPerPeriod / geometry.slots;

/** Seconds after which the pattern repeats. */
export const periodSeconds: number =
  (geometry.slots * geometry.embedFramesPerSlot * geometry.embedHop) / geometry.sampleRate;

/** Row of the pattern that a frame marks when embedding. */
export function slotOfEmbedFrame(frame: number): number {
  return Math.floor(frame / geometry.embedFramesPerSlot) % geometry.slots;
}
