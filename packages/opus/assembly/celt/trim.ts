// Tilt of the bit allocation, joint or separate stereo coding, and the band from which on intensity stereo is used.
import { EPSILON } from "../tables/celt";
import { intensityHysteresis, intensityThresholds } from "../tables/encoder-tuning";
import { BAND_LOG_AT } from "./encoder-scratch";
import { analysisOf, CeltEncoder } from "./encoder-state";
import { floorOf, innerProduct, log2 } from "./math";
import { SPECTRUM_AT } from "./scratch";
import { bandEdge, BANDS } from "./state";

const HALF: f32 = 0.5;
const ONE: f32 = 1.0;

function correlation(band: i32, lm: i32, stride: usize): f32 {
  const edge = bandEdge(band);
  const x = SPECTRUM_AT + (<usize>(edge << lm) << 2);
  return innerProduct(x, x + stride, (bandEdge(band + 1) - edge) << lm);
}

/** Tilt 0..10, 5 being flat; updates the savings by stereo redundancy in the state. */
export function chooseTrim(
  state: CeltEncoder,
  channels: i32,
  lm: i32,
  stride: usize,
  estimate: f32,
  equivalentRate: i32,
  surroundTrim: f32,
): i32 {
  const endBand = state.endBand;
  let trim: f32 = 5.0;
  if (equivalentRate < 64000) trim = 4.0;
  else if (equivalentRate < 80000) trim = <f32>4.0 + <f32>0.0625 * <f32>((equivalentRate - 64000) >> 10);
  if (channels == 2) {
    let sum: f32 = 0.0;
    for (let band = 0; band < 8; band++) sum = sum + correlation(band, lm, stride);
    sum = <f32>0.125 * sum;
    sum = min<f32>(ONE, abs<f32>(sum));
    let least = sum;
    for (let band = 8; band < state.intensity; band++) {
      least = min<f32>(least, abs<f32>(correlation(band, lm, stride)));
    }
    least = min<f32>(ONE, abs<f32>(least));
    const limit: f32 = 1.001;
    const savings = log2(limit - sum * sum);
    const leastSavings = max<f32>(HALF * savings, log2(limit - least * least));
    trim += max<f32>(-4.0, <f32>0.75 * savings);
    state.stereoSaving = min<f32>(state.stereoSaving + <f32>0.25, -(HALF * leastSavings));
  }
  let tilt: f32 = 0.0;
  for (let channel = 0; channel < channels; channel++) {
    for (let band = 0; band < endBand - 1; band++) {
      const weight: i32 = 2 + 2 * band - endBand;
      tilt += load<f32>(BAND_LOG_AT + (<usize>(channel * BANDS + band) << 2)) * <f32>weight;
    }
  }
  tilt /= <f32>(channels * (endBand - 1));
  trim -= max<f32>(-2.0, min<f32>(2.0, (tilt + ONE) / <f32>6.0));
  trim -= surroundTrim;
  trim -= <f32>2.0 * estimate;
  const analysis = analysisOf(state);
  if (analysis.valid) {
    trim -= max<f32>(-2.0, min<f32>(2.0, <f32>2.0 * (analysis.tonalitySlope + <f32>0.05)));
  }
  return max<i32>(0, min<i32>(10, floorOf(HALF + trim)));
}

/** Whether left and right are cheaper than mid and side, by the L1 norm. */
export function prefersDualStereo(lm: i32, stride: usize): bool {
  let separate: f32 = EPSILON;
  let joint: f32 = EPSILON;
  const end = SPECTRUM_AT + (<usize>(bandEdge(13) << lm) << 2);
  for (let at = SPECTRUM_AT; at < end; at += 4) {
    const left = load<f32>(at);
    const right = load<f32>(at + stride);
    separate = separate + (abs<f32>(left) + abs<f32>(right));
    joint = joint + (abs<f32>(left + right) + abs<f32>(left - right));
  }
  joint = <f32>0.707107 * joint;
  const bins = bandEdge(13) << (lm + 1);
  const angles = lm <= 1 ? 5 : 13;
  return <f32>(bins + angles) * joint > <f32>bins * separate;
}

/** First band of intensity stereo for a rate, with hysteresis around the last choice. */
export function chooseIntensity(rateBps: i32, previous: i32): i32 {
  const rate = <f32>(rateBps / 1000);
  let band = 0;
  while (band < 21 && !(rate < load<f32>(intensityThresholds + (<usize>band << 2)))) band++;
  if (band > previous) {
    const at = <usize>previous << 2;
    if (rate < load<f32>(intensityThresholds + at) + load<f32>(intensityHysteresis + at)) band = previous;
  }
  if (band < previous) {
    const at = <usize>(previous - 1) << 2;
    if (rate > load<f32>(intensityThresholds + at) - load<f32>(intensityHysteresis + at)) band = previous;
  }
  return band;
}
