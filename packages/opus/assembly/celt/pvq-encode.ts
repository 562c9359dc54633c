// Pyramid vector quantisation of the encoder: the search for the pulses, in the reference's order, and their index.
import { encodeUint, RangeEncoder } from "../range-encoder";
import { EPSILON } from "../tables/celt";
import { SEARCH_X_AT, SEARCH_Y_AT } from "./encoder-scratch";
import { collapseMask, pvqCount, scalePulses, spreadRotation } from "./pvq";
import { PULSES_AT } from "./scratch";

/**
 * Chooses `pulseCount` pulses for the signs and magnitudes of `x` into PULSES.
 * @returns the sum of squares
 */
function searchPulses(x: usize, count: i32, pulseCount: i32): f32 {
  const bytes = <usize>count << 2;
  const padded = (bytes + 31) & ~31;
  takeMagnitudes(x, bytes, padded);
  let xy: f32 = 0.0;
  let yy: f32 = 0.0;
  let left = pulseCount;
  const one: f32 = 1.0;
  if (pulseCount > count >> 1) {
    // Projection on the pyramid first.
    let sum: f32 = 0.0;
    for (let at: usize = 0; at < bytes; at += 4) sum += load<f32>(SEARCH_X_AT + at);
    if (!(sum > EPSILON && sum < 64.0)) {
      for (let at: usize = 0; at < padded; at += 16) v128.store(SEARCH_X_AT + at, f32x4.splat(0.0));
      store<f32>(SEARCH_X_AT, 1.0);
      sum = 1.0;
    }
    const scale = f32x4.splat((<f32>pulseCount + <f32>0.8) * (one / sum));
    let placed = i32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const value = v128.load(SEARCH_X_AT + at);
      const y = f32x4.floor(f32x4.mul(scale, value));
      const pulses = i32x4.trunc_sat_f32x4_s(y);
      v128.store(PULSES_AT + at, pulses);
      v128.store(SEARCH_Y_AT + at, f32x4.add(v128.load(SEARCH_Y_AT + at), f32x4.add(y, y)));
      placed = i32x4.add(placed, pulses);
      const squares = f32x4.mul(y, y);
      const products = f32x4.mul(value, y);
      yy = yy + f32x4.extract_lane(squares, 0);
      xy = xy + f32x4.extract_lane(products, 0);
      yy = yy + f32x4.extract_lane(squares, 1);
      xy = xy + f32x4.extract_lane(products, 1);
      yy = yy + f32x4.extract_lane(squares, 2);
      xy = xy + f32x4.extract_lane(products, 2);
      yy = yy + f32x4.extract_lane(squares, 3);
      xy = xy + f32x4.extract_lane(products, 3);
    }
    left -= sumLanes(placed);
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
    const best = bestPlace(xy, yy, bytes, padded);
    xy = xy + load<f32>(SEARCH_X_AT + best);
    yy = yy + load<f32>(SEARCH_Y_AT + best);
    store<f32>(SEARCH_Y_AT + best, load<f32>(SEARCH_Y_AT + best) + <f32>2.0);
    store<i32>(PULSES_AT + best, load<i32>(PULSES_AT + best) + 1);
  }
  restoreSigns(x, bytes);
  return yy;
}

/**
 * Magnitudes of `x` into SEARCH_X, no pulses into PULSES and SEARCH_Y. Behind the end places that cannot win: 0 in SEARCH_X,
 * infinity in SEARCH_Y.
 */
function takeMagnitudes(x: usize, bytes: usize, padded: usize): void {
  const zero = f32x4.splat(0.0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    v128.store(SEARCH_X_AT + at, f32x4.abs(v128.load(x + at)));
    v128.store(SEARCH_Y_AT + at, zero);
    v128.store(PULSES_AT + at, zero);
  }
  const unreachable = f32x4.splat(Infinity);
  for (let rest = at; rest < padded; rest += 16) {
    v128.store(SEARCH_X_AT + rest, zero);
    v128.store(SEARCH_Y_AT + rest, unreachable);
    v128.store(PULSES_AT + rest, zero);
  }
  for (; at < bytes; at += 4) {
    store<f32>(SEARCH_X_AT + at, abs<f32>(load<f32>(x + at)));
    store<f32>(SEARCH_Y_AT + at, 0.0);
  }
}

/** The pulses take the signs of `x`. */
function restoreSigns(x: usize, bytes: usize): void {
  const zero = f32x4.splat(0.0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const sign = f32x4.lt(v128.load(x + at), zero);
    v128.store(PULSES_AT + at, i32x4.sub(v128.xor(v128.load(PULSES_AT + at), sign), sign));
  }
  for (; at < bytes; at += 4) {
    if (load<f32>(x + at) < 0.0) store<i32>(PULSES_AT + at, -load<i32>(PULSES_AT + at));
  }
}

function sumLanes(values: v128): i32 {
  const pairs = i32x4.add(values, i64x2.shuffle(values, values, 1, 0));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/**
 * Where the next pulse goes: the place of the largest (xy + x)^2 / (yy + y) in the reference's order of comparisons, which
 * are products of floats and so need not agree with each other. Eight lanes find a candidate on their own; if the candidate
 * beats every other place in the reference's comparison, no order of comparisons could end elsewhere. If not, places are
 * compared in order.
 */
function bestPlace(xy: f32, yy: f32, bytes: usize, padded: usize): usize {
  const xys = f32x4.splat(xy);
  const yys = f32x4.splat(yy);
  let places0 = i32x4(0, 4, 8, 12);
  let places1 = i32x4(16, 20, 24, 28);
  let sum = f32x4.add(xys, v128.load(SEARCH_X_AT));
  let squares0 = f32x4.mul(sum, sum);
  let energies0 = f32x4.add(yys, v128.load(SEARCH_Y_AT));
  sum = f32x4.add(xys, v128.load(SEARCH_X_AT, 16));
  let squares1 = f32x4.mul(sum, sum);
  let energies1 = f32x4.add(yys, v128.load(SEARCH_Y_AT, 16));
  let here0 = places0;
  let here1 = places1;
  const step = i32x4.splat(32);
  for (let at: usize = 32; at < padded; at += 32) {
    here0 = i32x4.add(here0, step);
    here1 = i32x4.add(here1, step);
    sum = f32x4.add(xys, v128.load(SEARCH_X_AT + at));
    let squares = f32x4.mul(sum, sum);
    let energies = f32x4.add(yys, v128.load(SEARCH_Y_AT + at));
    let wins = f32x4.gt(f32x4.mul(energies0, squares), f32x4.mul(energies, squares0));
    squares0 = v128.bitselect(squares, squares0, wins);
    energies0 = v128.bitselect(energies, energies0, wins);
    places0 = v128.bitselect(here0, places0, wins);
    sum = f32x4.add(xys, v128.load(SEARCH_X_AT + at, 16));
    squares = f32x4.mul(sum, sum);
    energies = f32x4.add(yys, v128.load(SEARCH_Y_AT + at, 16));
    wins = f32x4.gt(f32x4.mul(energies1, squares), f32x4.mul(energies, squares1));
    squares1 = v128.bitselect(squares, squares1, wins);
    energies1 = v128.bitselect(energies, energies1, wins);
    places1 = v128.bitselect(here1, places1, wins);
  }
  let wins = f32x4.gt(f32x4.mul(energies0, squares1), f32x4.mul(energies1, squares0));
  squares0 = v128.bitselect(squares1, squares0, wins);
  energies0 = v128.bitselect(energies1, energies0, wins);
  places0 = v128.bitselect(places1, places0, wins);
  squares1 = i64x2.shuffle(squares0, squares0, 1, 0);
  energies1 = i64x2.shuffle(energies0, energies0, 1, 0);
  wins = f32x4.gt(f32x4.mul(energies0, squares1), f32x4.mul(energies1, squares0));
  squares0 = v128.bitselect(squares1, squares0, wins);
  energies0 = v128.bitselect(energies1, energies0, wins);
  places0 = v128.bitselect(i64x2.shuffle(places0, places0, 1, 0), places0, wins);
  squares1 = i32x4.shuffle(squares0, squares0, 1, 0, 3, 2);
  energies1 = i32x4.shuffle(energies0, energies0, 1, 0, 3, 2);
  wins = f32x4.gt(f32x4.mul(energies0, squares1), f32x4.mul(energies1, squares0));
  const second = i32x4.extract_lane(wins, 0) != 0;
  const best = second ? i32x4.extract_lane(places0, 1) : i32x4.extract_lane(places0, 0);
  const numerator = i32x4.shuffle(squares0, squares0, 0, 0, 0, 0);
  const denominator = i32x4.shuffle(energies0, energies0, 0, 0, 0, 0);
  const square = second ? i32x4.shuffle(squares0, squares0, 1, 1, 1, 1) : numerator;
  const energy = second ? i32x4.shuffle(energies0, energies0, 1, 1, 1, 1) : denominator;
  // Places that the candidate does not beat: itself, and no other.
  let unbeaten = i32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = f32x4.add(xys, v128.load(SEARCH_X_AT + at));
    const left = f32x4.mul(energy, f32x4.mul(sum, sum));
    const right = f32x4.mul(f32x4.add(yys, v128.load(SEARCH_Y_AT + at)), square);
    unbeaten = i32x4.sub(unbeaten, f32x4.ge(left, right));
  }
  return sumLanes(unbeaten) == 1 ? <usize>best : bestPlaceInOrder(xy, yy, bytes);
}

/** The reference's order: from the first place on, a later one wins where it is better. */
function bestPlaceInOrder(xy: f32, yy: f32, bytes: usize): usize {
  let best: usize = 0;
  let numerator: f32 = xy + load<f32>(SEARCH_X_AT);
  numerator = numerator * numerator;
  let denominator: f32 = yy + load<f32>(SEARCH_Y_AT);
  for (let at: usize = 4; at < bytes; at += 4) {
    let square: f32 = xy + load<f32>(SEARCH_X_AT + at);
    square = square * square;
    const energy: f32 = yy + load<f32>(SEARCH_Y_AT + at);
    if (denominator * square > energy * numerator) {
      denominator = energy;
      numerator = square;
      best = at;
    }
  }
  return best;
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
