// Pyramid vector quantisation of the encoder: the search for the pulses, in the reference's order, and their index.
import { encodeUint, RangeEncoder } from "../range-encoder";
import { EPSILON } from "../tables/celt";
import { floorOf } from "./math";
import { SEARCH_SIGN_AT, SEARCH_Y_AT } from "./encoder-scratch";
import { collapseMask, pvqCount, scalePulses, spreadRotation } from "./pvq";
import { PULSES_AT } from "./scratch";

/**
 * Chooses `pulseCount` pulses for `x` (whose signs it drops) into PULSES. Positions are compared four at a time; where
 * one may win, the four go through the scalar order of comparisons, so the choice is the scalar one.
 * @returns the sum of squares
 */
function searchPulses(x: usize, count: i32, pulseCount: i32): f32 {
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 4) {
    const value = load<f32>(x + at);
    store<i32>(SEARCH_SIGN_AT + at, i32(value < 0.0));
    store<f32>(x + at, abs<f32>(value));
  }
  memory.fill(PULSES_AT, 0, bytes);
  memory.fill(SEARCH_Y_AT, 0, bytes);
  let xy: f32 = 0.0;
  let yy: f32 = 0.0;
  let left = pulseCount;
  const one: f32 = 1.0;
  if (pulseCount > count >> 1) {
    // Projection on the pyramid first.
    let sum: f32 = 0.0;
    for (let at: usize = 0; at < bytes; at += 4) sum += load<f32>(x + at);
    if (!(sum > EPSILON && sum < 64.0)) {
      memory.fill(x, 0, bytes);
      store<f32>(x, 1.0);
      sum = 1.0;
    }
    const scale: f32 = (<f32>pulseCount + <f32>0.8) * (one / sum);
    for (let at: usize = 0; at < bytes; at += 4) {
      const value = load<f32>(x + at);
      const pulses = floorOf(scale * value);
      store<i32>(PULSES_AT + at, pulses);
      const y = <f32>pulses;
      yy = yy + y * y;
      xy = xy + value * y;
      store<f32>(SEARCH_Y_AT + at, y * <f32>2.0);
      left -= pulses;
    }
  }
  if (left > count + 3) {
    // Only where the input is no vector at all.
    const rest = <f32>left;
    yy = yy + rest * rest;
    yy = yy + rest * load<f32>(SEARCH_Y_AT);
    store<i32>(PULSES_AT, load<i32>(PULSES_AT) + left);
    left = 0;
  }
  for (let i = 0; i < left; i++) {
    yy = yy + one;
    let best: usize = 0;
    let numerator: f32 = xy + load<f32>(x);
    numerator = numerator * numerator;
    let denominator: f32 = yy + load<f32>(SEARCH_Y_AT);
    const xys = f32x4.splat(xy);
    const yys = f32x4.splat(yy);
    let at: usize = 4;
    for (; at + 16 <= bytes; at += 16) {
      const sum = f32x4.add(xys, v128.load(x + at));
      const squares = f32x4.mul(sum, sum);
      const energies = f32x4.add(yys, v128.load(SEARCH_Y_AT + at));
      const wins = f32x4.gt(
        f32x4.mul(f32x4.splat(denominator), squares),
        f32x4.mul(energies, f32x4.splat(numerator)),
      );
      if (!v128.any_true(wins)) continue;
      for (let lane: usize = 0; lane < 16; lane += 4) {
        let square: f32 = xy + load<f32>(x + at + lane);
        square = square * square;
        const energy: f32 = yy + load<f32>(SEARCH_Y_AT + at + lane);
        if (denominator * square > energy * numerator) {
          denominator = energy;
          numerator = square;
          best = at + lane;
        }
      }
    }
    for (; at < bytes; at += 4) {
      let square: f32 = xy + load<f32>(x + at);
      square = square * square;
      const energy: f32 = yy + load<f32>(SEARCH_Y_AT + at);
      if (denominator * square > energy * numerator) {
        denominator = energy;
        numerator = square;
        best = at;
      }
    }
    xy = xy + load<f32>(x + best);
    yy = yy + load<f32>(SEARCH_Y_AT + best);
    store<f32>(SEARCH_Y_AT + best, load<f32>(SEARCH_Y_AT + best) + <f32>2.0);
    store<i32>(PULSES_AT + best, load<i32>(PULSES_AT + best) + 1);
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    const sign = load<i32>(SEARCH_SIGN_AT + at);
    store<i32>(PULSES_AT + at, (load<i32>(PULSES_AT + at) ^ -sign) + sign);
  }
  return yy;
}

/** Index of the pulses in the enumeration of all vectors of `count` dimensions. */
function pulseIndex(count: i32): u32 {
  let at = PULSES_AT + (<usize>(count - 1) << 2);
  let value = load<i32>(at);
  let index = u32(value < 0);
  let k = abs<i32>(value);
  for (let n = 2; n <= count; n++) {
    at -= 4;
    value = load<i32>(at);
    index += pvqCount(n, k);
    k += abs<i32>(value);
    if (value < 0) index += pvqCount(n, k + 1);
  }
  return index;
}

/**
 * Encodes a partition of `count` bins with `pulses` pulses; where `resynthesize`, `x` becomes what the decoder gets.
 * @returns the collapse mask
 */
export function encodePartition(
  re: RangeEncoder,
  x: usize,
  count: i32,
  pulses: i32,
  spread: i32,
  blocks: i32,
  gain: f32,
  resynthesize: bool,
): u32 {
  spreadRotation(x, count, blocks, pulses, spread, true);
  const energy = searchPulses(x, count, pulses);
  const mask = collapseMask(count, blocks);
  encodeUint(re, pulseIndex(count), pvqCount(count, pulses) + pvqCount(count, pulses + 1));
  if (resynthesize) {
    const one: f32 = 1.0;
    scalePulses(x, count, (one / sqrt<f32>(energy)) * gain);
    spreadRotation(x, count, blocks, pulses, spread, false);
  }
  return mask;
}
