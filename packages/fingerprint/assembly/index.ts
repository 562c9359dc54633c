// Exports of the fingerprint core; nothing else is reachable from JavaScript.
import { realFftPlan } from "../../kernels/assembly/real-fft";
import { cosTurns } from "../../kernels/assembly/turns";
import { plan1024, plan2048, window1024, window2048 } from "./layout";

export { landmarkRow } from "./landmark-row";
export { markRow } from "./mark-row";
export { inputAddress, rowAddress, rowMaximumAddress } from "./layout";
export { powerSpectrum } from "./spectrum";

/** Writes plans and windows; once per instance. */
export function prepare(): void {
  realFftPlan(plan1024(), 1024);
  realFftPlan(plan2048(), 2048);
  hann(window1024(), 1024);
  hann(window2048(), 2048);
}

/** Periodic Hann window, rounded to f32. */
function hann(window: usize, size: i32): void {
  for (let k = 0; k < size; k++) store<f32>(window + (usize(k) << 2), f32(0.5 - 0.5 * cosTurns(k, size)));
}
