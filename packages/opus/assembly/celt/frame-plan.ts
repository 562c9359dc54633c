// What the steps of one encoded CELT frame hand on to each other.
import { FRAME_PLAN_AT } from "./encoder-scratch";

/** Structs of the analyses, and the quantities that the steps of a frame hand on. */
@unmanaged
export class FramePlan {
  lm: i32;
  count: i32;
  channels: i32;
  /** Bytes between channels of the spectrum. */
  stride: usize;
  transient: i32;
  shortBlocks: i32;
  estimate: f32;
  equivalentRate: i32;
  effectiveBytes: i32;
  availableBytes: i32;
  compressedBytes: i32;
  /** Share of the frame in the bit rate in 1/8 bit; 0 at constant rate. */
  rateEighths: i32;
  silence: i32;
  temporal: f32;
  pitchChange: i32;
  totalBoostCoded: i32;
  /** What the mask of the other channels allows to save, log2, and its tilt; 0 without a mask. */
  surroundMasking: f32;
  surroundTrim: f32;
}
export const TONE_AT: usize = FRAME_PLAN_AT + 96;
export const TRANSIENT_AT: usize = FRAME_PLAN_AT + 112;
export const PREFILTER_AT: usize = FRAME_PLAN_AT + 128;
export const DYNAMICS_AT: usize = FRAME_PLAN_AT + 144;
export const CHOICE_AT: usize = FRAME_PLAN_AT + 160;

export function plan(): FramePlan {
  return changetype<FramePlan>(FRAME_PLAN_AT);
}
