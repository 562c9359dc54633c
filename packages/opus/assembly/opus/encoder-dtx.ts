// Discontinuous transmission decided by the Opus layer: where the analysis runs or the input is digital silence. SILK
// decides by itself otherwise.
import { MAX_CONSECUTIVE_DTX, NB_SPEECH_FRAMES_BEFORE_DTX } from "../tables/encoder-tuning";

/** Half milliseconds without activity after which packets are left out, and the longest pause between two packets. */
const START: i32 = NB_SPEECH_FRAMES_BEFORE_DTX * 20 * 2;
const REFRESH: i32 = (NB_SPEECH_FRAMES_BEFORE_DTX + MAX_CONSECUTIVE_DTX) * 20 * 2;

/** The length of the pause in half milliseconds after a frame of `halfMs`. */
export function pauseAfter(pause: i32, halfMs: i32, active: bool): i32 {
  if (active) return 0;
  const longer = pause + halfMs;
  return longer > REFRESH ? START : longer;
}

/** Whether the frame that made the pause this long is left out. */
export function isPauseSilent(before: i32, after: i32): bool {
  return after > before && after > START;
}
