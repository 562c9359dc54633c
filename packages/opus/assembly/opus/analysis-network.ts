// The small network that tells music from speech and activity from noise: dense 25 -> 32, GRU 32 -> 24, dense -> 2.
// Weights are i8, 1/128.
import {
  dense0Bias,
  dense0Weights,
  dense2Bias,
  dense2Weights,
  gruBias,
  gruRecurrent,
  gruWeights,
} from "../tables/analysis-network";

const FEATURES: i32 = 25;
const HIDDEN: i32 = 32;
const STATE: i32 = 24;
const SCALE: f32 = 0.0078125;
const ONE: f32 = 1.0;
const HALF: f32 = 0.5;
const N0: f32 = 952.52801514;
const N1: f32 = 96.39235687;
const N2: f32 = 0.60863042;
const D0: f32 = 952.72399902;
const D1: f32 = 413.36801147;
const D2: f32 = 11.88600922;

/** tanh by a rational function. */
function squash(x: f32): f32 {
  const y = x * x;
  const numerator: f32 = (N2 * y + N1) * y + N0;
  const denominator: f32 = (D2 * y + D1) * y + D0;
  const value: f32 = (numerator * x) / denominator;
  return max<f32>(-1.0, min<f32>(1.0, value));
}

function gate(x: f32): f32 {
  return HALF + HALF * squash(HALF * x);
}

/** out[i] += weights[j][i] x[j], j ascending; vectors hold neighbouring i. */
function accumulate(out: usize, weights: usize, rows: i32, columns: i32, stride: i32, x: usize): void {
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const at = out + (<usize>i << 2);
    let sum = v128.load(at);
    let weight = weights + <usize>i;
    for (let j = 0; j < columns; j++) {
      const four = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(weight)));
      sum = f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(four), v128.load32_splat(x + (<usize>j << 2))));
      weight += <usize>stride;
    }
    v128.store(at, sum);
  }
  for (; i < rows; i++) {
    const at = out + (<usize>i << 2);
    let sum = load<f32>(at);
    let weight = weights + <usize>i;
    for (let j = 0; j < columns; j++) {
      sum += <f32>load<i8>(weight) * load<f32>(x + (<usize>j << 2));
      weight += <usize>stride;
    }
    store<f32>(at, sum);
  }
}

function setBias(out: usize, bias: usize, count: i32): void {
  for (let i = 0; i < count; i++) store<f32>(out + (<usize>i << 2), <f32>load<i8>(bias + <usize>i));
}

/** Sum of bias, input and recurrent part of one gate. */
function gateSum(out: usize, which: i32, input: usize, state: usize): void {
  const offset = <usize>(which * STATE);
  setBias(out, gruBias + offset, STATE);
  accumulate(out, gruWeights + offset, STATE, HIDDEN, 3 * STATE, input);
  accumulate(out, gruRecurrent + offset, STATE, STATE, 3 * STATE, state);
}

/**
 * @param features f32[25], @param state f32[24], updated; @param work 640 bytes
 * @param result f32[2]: probability of music and of activity
 */
export function runNetwork(features: usize, state: usize, work: usize, result: usize): void {
  const hidden = work;
  const update = work + 128;
  const reset = work + 256;
  const candidate = work + 384;
  const gated = work + 512;
  setBias(hidden, dense0Bias, HIDDEN);
  accumulate(hidden, dense0Weights, HIDDEN, FEATURES, HIDDEN, features);
  for (let at: usize = 0; at < <usize>HIDDEN << 2; at += 4) {
    store<f32>(hidden + at, squash(load<f32>(hidden + at) * SCALE));
  }
  gateSum(update, 0, hidden, state);
  gateSum(reset, 1, hidden, state);
  const bytes = <usize>STATE << 2;
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(update + at, gate(SCALE * load<f32>(update + at)));
    store<f32>(gated + at, load<f32>(state + at) * gate(SCALE * load<f32>(reset + at)));
  }
  gateSum(candidate, 2, hidden, gated);
  for (let at: usize = 0; at < bytes; at += 4) {
    const z = load<f32>(update + at);
    const value: f32 = z * load<f32>(state + at) + (ONE - z) * squash(SCALE * load<f32>(candidate + at));
    store<f32>(state + at, value);
  }
  setBias(result, dense2Bias, 2);
  accumulate(result, dense2Weights, 2, STATE, 2, state);
  store<f32>(result, gate(load<f32>(result) * SCALE));
  store<f32>(result + 4, gate(load<f32>(result, 4) * SCALE));
}
