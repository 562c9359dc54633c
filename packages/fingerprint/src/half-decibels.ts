import { whitenedUnit } from "./mark-peaks.ts";
import { markColumns } from "./mark-spectrum.ts";

/** A whitened row in half dB, limited to +-63.5 dB, into `to` from `at` on. */
export function storeHalfDecibels(whitened: Int32Array, to: Int8Array, at: number): void {
  const scale = 2 / whitenedUnit;
  for (let c = 0; c < markColumns; c++) {
    to[at + c] = Math.max(-127, Math.min(127, Math.floor(whitened[c]! * scale + 0.5)));
  }
}
