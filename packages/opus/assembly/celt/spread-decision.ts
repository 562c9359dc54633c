// Chooses the spreading rotation from how peaky the normalised spectrum is, and the taps of the pitch filter.
import { SPREAD_WEIGHT_AT } from "./encoder-scratch";
import { CeltEncoder } from "./encoder-state";
import { SPREAD_AGGRESSIVE, SPREAD_NONE, SPREAD_NORMAL } from "./pvq";
import { SPECTRUM_AT } from "./scratch";
import { bandEdge, BANDS } from "./state";

const SPREAD_LIGHT: i32 = 1;

/** Judges SPECTRUM (channels `stride` bytes apart), updating the averages of the state; returns the spread. */
export function decideSpread(
  state: CeltEncoder,
  endBand: i32,
  channels: i32,
  m: i32,
  stride: usize,
  updateHigh: bool,
): i32 {
  if (m * (bandEdge(endBand) - bandEdge(endBand - 1)) <= 8) return SPREAD_NONE;
  let sum = 0;
  let weights = 0;
  let highSum = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let band = 0; band < endBand; band++) {
      const edge = bandEdge(band);
      const count = m * (bandEdge(band + 1) - edge);
      if (count <= 8) continue;
      const x = SPECTRUM_AT + <usize>channel * stride + (<usize>(m * edge) << 2);
      // How many bins are far below the mean energy: a rough distribution.
      let below4 = 0;
      let below16 = 0;
      let below64 = 0;
      const length = <f32>count;
      for (let at: usize = 0; at < <usize>count << 2; at += 4) {
        const value = load<f32>(x + at);
        const energy: f32 = value * value * length;
        below4 += i32(energy < 0.25);
        below16 += i32(energy < 0.0625);
        below64 += i32(energy < 0.015625);
      }
      if (band > BANDS - 4) highSum += <i32>(<u32>(32 * (below16 + below4)) / <u32>count);
      const votes = i32(2 * below64 >= count) + i32(2 * below16 >= count) + i32(2 * below4 >= count);
      const weight = load<i32>(SPREAD_WEIGHT_AT + (<usize>band << 2));
      sum += votes * weight;
      weights += weight;
    }
  }
  if (updateHigh) {
    if (highSum) highSum = <i32>(<u32>highSum / <u32>(channels * (4 - BANDS + endBand)));
    state.highAverage = (state.highAverage + highSum) >> 1;
    highSum = state.highAverage;
    if (state.tapset == 2) highSum += 4;
    else if (state.tapset == 0) highSum -= 4;
    state.tapset = highSum > 22 ? 2 : highSum > 18 ? 1 : 0;
  }
  sum = <i32>(<u32>(sum << 8) / <u32>weights);
  sum = (sum + state.tonalAverage) >> 1;
  state.tonalAverage = sum;
  sum = (3 * sum + (((3 - state.spread) << 7) + 64) + 2) >> 2;
  if (sum < 80) return SPREAD_AGGRESSIVE;
  if (sum < 256) return SPREAD_NORMAL;
  return sum < 384 ? SPREAD_LIGHT : SPREAD_NONE;
}
