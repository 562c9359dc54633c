/** The form in which sound moves through a station: 48 kHz, stereo, interleaved f32, in blocks of 20 ms. */
export const stationRateHz = 48000;
export const stationChannels = 2;
/** Sample frames of one block: one Opus frame. */
export const blockFrames = 960;
export const blockUs = 20_000;

/** Whole milliseconds of a position in sample frames. */
export function framesToMs(frames: number): number {
  return Math.floor((frames * 1000) / stationRateHz);
}
