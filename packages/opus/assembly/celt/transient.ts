// Finds attacks: in the envelope of the signal, and in a jump of the band energies.
import { EPSILON } from "../tables/celt";
import { transientInverse } from "../tables/encoder-tuning";
import { BAND_LOG_AT, BAND_WORK_AT, ENVELOPE_AT } from "./encoder-scratch";
import { floorOf } from "./math";
import { BANDS } from "./state";

/** What the envelope tells about a frame. */
@unmanaged
export class TransientVerdict {
  transient: i32;
  /** An attack in a hybrid frame of few bits, to be handled by time-frequency changes alone. */
  weak: i32;
  /** Channel with the stronger attack. */
  channel: i32;
  /** 0 (stationary) to about 1. */
  estimate: f32;
}

/**
 * Ratio of the energy to the harmonic mean of the masked envelope, in 1/64, of two channels at once (or one twice): the
 * recursions are chains that go on in the lanes of one vector. The right channel's goes to bits 16 and up.
 */
function unmaskedEnergies(left: usize, right: usize, count: i32, decay: f32): i32 {
  const envelope = ENVELOPE_AT;
  const zero = f32x4.splat(0.0);
  const half = f32x4.splat(0.5);
  let memory0 = zero;
  let memory1 = zero;
  const bytes = <usize>count << 2;
  // High-pass: (1 - 2 z^-1 + z^-2) / (1 - z^-1 + 0.5 z^-2). Two samples of both channels: y0 left, y0 right, y1 left, y1 right.
  for (let at: usize = 0; at < bytes; at += 8) {
    const pair = i32x4.shuffle(v128.load64_zero(left + at), v128.load64_zero(right + at), 0, 4, 1, 5);
    const first: v128 = f32x4.add(memory0, pair);
    let before = memory0;
    memory0 = f32x4.add(f32x4.sub(memory0, pair), f32x4.mul(half, memory1));
    memory1 = f32x4.sub(pair, before);
    const later = i64x2.shuffle(pair, pair, 1, 1);
    const second: v128 = f32x4.add(memory0, later);
    before = memory0;
    memory0 = f32x4.add(f32x4.sub(memory0, later), f32x4.mul(half, memory1));
    memory1 = f32x4.sub(later, before);
    v128.store(envelope + 2 * at, i64x2.shuffle(first, second, 0, 2));
  }
  // The filter starts without its past.
  memory.fill(envelope, 0, 96);
  const pairs = count / 2;
  const decays = f32x4.splat(decay);
  const rest = f32x4.splat(<f32>1.0 - decay);
  let means = zero;
  memory0 = zero;
  for (let i = 0; i < pairs; i++) {
    const values = v128.load(envelope + (<usize>i << 4));
    const squares = f32x4.mul(values, values);
    const energies = f32x4.add(squares, i64x2.shuffle(squares, squares, 1, 1));
    means = f32x4.add(means, energies);
    memory0 = f32x4.add(energies, f32x4.mul(rest, memory0));
    v128.store64_lane(envelope + (<usize>i << 3), f32x4.mul(decays, memory0), 0);
  }
  const back = f32x4.splat(0.875);
  const eighth = f32x4.splat(0.125);
  let largest = zero;
  memory0 = zero;
  for (let i = pairs - 1; i >= 0; i--) {
    const at = envelope + (<usize>i << 3);
    memory0 = f32x4.add(v128.load64_zero(at), f32x4.mul(back, memory0));
    const values = f32x4.mul(eighth, memory0);
    v128.store64_lane(at, values, 0);
    largest = f32x4.pmax(largest, values);
  }
  const leftSum = harmonicSum(envelope, pairs, f32x4.extract_lane(means, 0), f32x4.extract_lane(largest, 0));
  if (left == right) return leftSum;
  return (
    leftSum |
    (harmonicSum(envelope + 4, pairs, f32x4.extract_lane(means, 1), f32x4.extract_lane(largest, 1)) << 16)
  );
}

/** Energy over the harmonic mean of one channel's envelope, every second value from `envelope` on; at most 2730. */
function harmonicSum(envelope: usize, pairs: i32, energy: f32, largest: f32): i32 {
  // Geometric mean of the energy and of half its maximum; the product goes on in double.
  const half: f64 = 0.5;
  const mean = <f32>sqrt<f64>(<f64>(energy * largest) * half * <f64>pairs);
  const norm: f32 = <f32>pairs / (EPSILON + mean);
  const sixtyFour: f32 = 64.0;
  let sum: i32 = 0;
  for (let i = 12; i < pairs - 5; i += 4) {
    const position: f32 = sixtyFour * norm * (load<f32>(envelope + (<usize>i << 3)) + EPSILON);
    const index = position < 127.0 ? max<i32>(0, floorOf(position)) : 127;
    sum += <i32>load<u8>(transientInverse + <usize>index);
  }
  return (64 * sum * 4) / (6 * (pairs - 17));
}

/**
 * Judges the pre-emphasised channels at `input`, `count` samples each, `stride` bytes apart.
 * @param toneFrequency radians per sample, of a tone as pure as `toneishness`
 */
export function findTransient(
  verdict: TransientVerdict,
  input: usize,
  count: i32,
  stride: usize,
  channels: i32,
  allowWeak: bool,
  toneFrequency: f32,
  toneishness: f32,
): void {
  // Forward masking of 6.7 dB/ms; 3.3 dB/ms where bits are few.
  const decay: f32 = allowWeak ? 0.03125 : 0.0625;
  let metric = 0;
  verdict.weak = 0;
  const other = input + <usize>(channels - 1) * stride;
  const unmasked = unmaskedEnergies(input, other, count, decay);
  metric = unmasked & 0xffff;
  if (metric) verdict.channel = 0;
  if (unmasked >> 16 > metric) {
    verdict.channel = 1;
    metric = unmasked >> 16;
  }
  let transient = metric > 200;
  // Part of a period of a very low tone is no attack.
  if (toneishness > <f32>0.98 && toneFrequency < <f32>0.026) {
    transient = false;
    metric = 0;
  }
  if (allowWeak && transient && metric < 600) {
    transient = false;
    verdict.weak = 1;
  }
  verdict.transient = i32(transient);
  const level: f32 = max<f32>(0.0, <f32>sqrt<f64>(<f64>(27 * metric)) - <f32>42.0);
  const slope: f32 = 0.0069;
  const offset: f64 = 0.139;
  const square = <f64>(slope * min<f32>(163.0, level)) - offset;
  verdict.estimate = <f32>sqrt<f64>(max<f64>(0.0, square));
}

/** Whether the energies rose by more than 6 dB on average against the spread energies of the last frame. */
export function energyJumped(oldEnergies: usize, startBand: i32, endBand: i32, channels: i32): bool {
  const spread = BAND_WORK_AT;
  const one: f32 = 1.0;
  let previous: f32 = 0.0;
  for (let band = startBand; band < endBand; band++) {
    const at = <usize>band << 2;
    let energy = load<f32>(oldEnergies + at);
    if (channels == 2) energy = max<f32>(energy, load<f32>(oldEnergies + at + BANDS * 4));
    if (band > startBand) energy = max<f32>(previous - one, energy);
    store<f32>(spread + at, energy);
    previous = energy;
  }
  for (let band = endBand - 2; band >= startBand; band--) {
    const at = spread + (<usize>band << 2);
    store<f32>(at, max<f32>(load<f32>(at), load<f32>(at, 4) - one));
  }
  const first = max<i32>(2, startBand);
  let sum: f32 = 0.0;
  for (let channel = 0; channel < channels; channel++) {
    for (let band = first; band < endBand - 1; band++) {
      const now = max<f32>(0.0, load<f32>(BAND_LOG_AT + (<usize>(channel * BANDS + band) << 2)));
      const before = max<f32>(0.0, load<f32>(spread + (<usize>band << 2)));
      sum += max<f32>(0.0, now - before);
    }
  }
  return sum / <f32>(channels * (endBand - 1 - first)) > one;
}
