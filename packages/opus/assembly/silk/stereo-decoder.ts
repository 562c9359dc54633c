// Stereo of SILK: prediction of the side from the mid channel and conversion to left and right
// (RFC 6716 sections 4.2.7.1, 4.2.7.2 and 4.2.8).
import { decodeIcdf, RangeDecoder } from "../range-decoder";
import { midOnlyIcdf, stereoJointIcdf, stereoWeights, uniform3Icdf, uniform5Icdf } from "../tables/silk-stereo-misc";
import { sat16, shiftRound, smlawb, smulbb, smulwb } from "./fixed-point";
import { STEREO_PREDICTORS } from "./scratch";
import { SilkDecoder } from "./state";

const INTERPOLATION_MS: i32 = 8;
/** Half a sub-step: 0.5 / 5 in Q16. */
const HALF_SUB_STEP_Q16: i32 = 6554;

/** One predictor in Q13 from its coarse index 0..14 and sub-step 0..4. */
export function stereoPredictor(coarse: i32, subStep: i32): i32 {
  const low = i32(load<i16>(stereoWeights + (usize(coarse) << 1)));
  const next = i32(load<i16>(stereoWeights + (usize(coarse) << 1), 2));
  return low + smulbb(smulwb(next - low, HALF_SUB_STEP_Q16), 2 * subStep + 1);
}

/** Reads both predictors into STEREO_PREDICTORS (i32[2], Q13). */
export function decodeStereoPredictors(rd: RangeDecoder): void {
  const joint = decodeIcdf(rd, stereoJointIcdf, 8);
  const coarse0 = joint / 5;
  const coarse1 = joint - 5 * coarse0;
  const fine0 = decodeIcdf(rd, uniform3Icdf, 8);
  const sub0 = decodeIcdf(rd, uniform5Icdf, 8);
  const fine1 = decodeIcdf(rd, uniform3Icdf, 8);
  const sub1 = decodeIcdf(rd, uniform5Icdf, 8);
  const first = stereoPredictor(fine0 + 3 * coarse0, sub0);
  const second = stereoPredictor(fine1 + 3 * coarse1, sub1);
  store<i32>(STEREO_PREDICTORS, first - second);
  store<i32>(STEREO_PREDICTORS, second, 4);
}

export function decodeMidOnly(rd: RangeDecoder): i32 {
  return decodeIcdf(rd, midOnlyIcdf, 8);
}

/** Puts the two samples kept from the last frame in front of `mid` and keeps the last two of this one. */
export function delayMid(d: SilkDecoder, mid: usize, length: i32): void {
  store<i16>(mid, d.mid0);
  store<i16>(mid, d.mid1, 2);
  d.mid0 = load<i16>(mid + (usize(length) << 1));
  d.mid1 = load<i16>(mid + (usize(length) << 1), 2);
}

/** Mid and side, i16[2 + length] with the frame from index 2, to left and right from index 1. */
export function midSideToLeftRight(d: SilkDecoder, mid: usize, side: usize, rateKhz: i32, length: i32): void {
  delayMid(d, mid, length);
  store<i16>(side, d.side0);
  store<i16>(side, d.side1, 2);
  d.side0 = load<i16>(side + (usize(length) << 1));
  d.side1 = load<i16>(side + (usize(length) << 1), 2);

  const target0 = load<i32>(STEREO_PREDICTORS);
  const target1 = load<i32>(STEREO_PREDICTORS, 4);
  const ramp = INTERPOLATION_MS * rateKhz;
  const inverse = (1 << 16) / ramp;
  const delta0 = shiftRound(smulbb(target0 - d.predPrev0Q13, inverse), 16);
  const delta1 = shiftRound(smulbb(target1 - d.predPrev1Q13, inverse), 16);
  let pred0 = d.predPrev0Q13;
  let pred1 = d.predPrev1Q13;
  for (let n: i32 = 0; n < length; n++) {
    if (n < ramp) {
      pred0 += delta0;
      pred1 += delta1;
    } else {
      pred0 = target0;
      pred1 = target1;
    }
    const at = usize(n) << 1;
    const center = i32(load<i16>(mid + at, 2));
    const smooth = (i32(load<i16>(mid + at)) + i32(load<i16>(mid + at, 4)) + (center << 1)) << 9;
    let sum = smlawb(i32(load<i16>(side + at, 2)) << 8, smooth, pred0);
    sum = smlawb(sum, center << 11, pred1);
    store<i16>(side + at, i16(sat16(shiftRound(sum, 8))), 2);
  }
  d.predPrev0Q13 = target0;
  d.predPrev1Q13 = target1;
  for (let n: usize = 2; n <= usize(length) << 1; n += 2) {
    const m = i32(load<i16>(mid + n));
    const s = i32(load<i16>(side + n));
    store<i16>(mid + n, i16(sat16(m + s)));
    store<i16>(side + n, i16(sat16(m - s)));
  }
}
