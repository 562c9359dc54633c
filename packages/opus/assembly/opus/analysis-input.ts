// Input of the music and speech analysis: mono at 24 kHz.
import { OPUS_SCRATCH_AT } from "../layout";
import { AnalysisState } from "./analysis-state";

const HALF: f32 = 0.5;
export const ENERGY_SCALE: f32 = 1.0 / 1073741824.0;
/** Mixed input, f32[960]. */
const MIXED: usize = OPUS_SCRATCH_AT + 0xa000;
/** Work memory of the steps, up to the record of `trace.ts`. */
export const ANALYSIS_WORK_AT: usize = MIXED + 3840;

/** Halves the rate of `count` samples; returns the energy above the kept half. */
function decimate(state: AnalysisState, input: usize, out: usize, count: i32): f32 {
  const even: f32 = 0.6074371;
  const odd: f32 = 0.15063;
  let s0 = state.resample0;
  let s1 = state.resample1;
  let s2 = state.resample2;
  let energy: f32 = 0.0;
  for (let k = 0; k < count >> 1; k++) {
    const at = input + (<usize>k << 3);
    let x = load<f32>(at);
    let product: f32 = even * (x - s0);
    let sum: f32 = s0 + product;
    s0 = x + product;
    let high = sum;
    x = load<f32>(at, 4);
    product = odd * (x - s1);
    sum = sum + s1;
    sum = sum + product;
    s1 = x + product;
    product = odd * (-x - s2);
    high = high + s2;
    high = high + product;
    s2 = -x + product;
    energy += high * high;
    store<f32>(out + (<usize>k << 2), HALF * sum);
  }
  state.resample0 = s0;
  state.resample1 = s1;
  state.resample2 = s2;
  return energy;
}

/** Mono at 24 kHz of `length24` samples from `offset24` on; returns the energy above 12 kHz. */
export function takeInput(
  state: AnalysisState,
  pcm: usize,
  out: usize,
  length24: i32,
  offset24: i32,
  channels: i32,
  rate: i32,
): f32 {
  if (length24 == 0) return 0.0;
  let length = length24;
  let offset = offset24;
  if (rate == 48000) {
    length *= 2;
    offset *= 2;
  } else if (rate == 16000) {
    length = (length * 2) / 3;
    offset = (offset * 2) / 3;
  }
  const scale: f32 = 32768.0;
  const limit: f32 = 65536.0;
  const repeat = rate == 16000 ? 3 : 1;
  let to = rate == 24000 ? out : MIXED;
  let done = 0;
  if (repeat == 1) {
    // Four at a time; NaN becomes 0.
    const scales = f32x4.splat(scale);
    const half = f32x4.splat(HALF);
    for (; done + 4 <= length; done += 4) {
      const at = pcm + (<usize>((done + offset) * channels) << 2);
      let values = f32x4.mul(v128.load(at), scales);
      if (channels == 2) {
        const more = f32x4.mul(v128.load(at, 16), scales);
        values = f32x4.add(
          i32x4.shuffle(values, more, 0, 2, 4, 6),
          i32x4.shuffle(values, more, 1, 3, 5, 7),
        );
      }
      values = f32x4.pmin(f32x4.pmax(values, f32x4.splat(-limit)), f32x4.splat(limit));
      values = v128.and(values, f32x4.eq(values, values));
      v128.store(to, channels == 2 ? f32x4.mul(half, values) : values);
      to += 16;
    }
  }
  for (let i = done; i < length; i++) {
    const at = pcm + (<usize>((i + offset) * channels) << 2);
    let value: f32 = load<f32>(at) * scale;
    if (channels == 2) value = value + load<f32>(at, 4) * scale;
    if (value < -limit) value = -limit;
    if (value > limit) value = limit;
    if (value != value) value = 0.0;
    if (channels == 2) value = HALF * value;
    for (let k = 0; k < repeat; k++) {
      store<f32>(to, value);
      to += 4;
    }
  }
  if (rate == 48000) return decimate(state, MIXED, out, length) * ENERGY_SCALE;
  if (rate == 16000) decimate(state, MIXED, out, 3 * length);
  return 0.0;
}
