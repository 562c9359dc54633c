// What the other channels of a surround signal mask in this one: bits to save, their tilt, and bands that stand out.
import { SURROUND_BOOST_AT } from "./encoder-scratch";
import { CeltEncoder, surroundMask } from "./encoder-state";
import { plan } from "./frame-plan";
import { bandEdge, BANDS } from "./state";

const HALF: f32 = 0.5;
const QUARTER: f32 = 0.25;
const FIFTH: f32 = 0.2;

/** Fills `surroundMasking` and `surroundTrim` of the plan, and SURROUND_BOOST. */
export function analyseSurround(state: CeltEncoder): void {
  const p = plan();
  p.surroundMasking = 0.0;
  p.surroundTrim = 0.0;
  memory.fill(SURROUND_BOOST_AT, 0, BANDS * 4);
  if (state.startBand != 0 || !state.hasMask || state.lfe) return;
  const mask = surroundMask(state);
  const channels = p.channels;
  const end = max<i32>(2, state.lastCodedBands);
  let average: f32 = 0.0;
  let slope: f32 = 0.0;
  let count = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let band = 0; band < end; band++) {
      let value = load<f32>(mask + (<usize>(channel * BANDS + band) << 2));
      value = max<f32>(min<f32>(value, QUARTER), -2.0);
      if (value > 0.0) value = HALF * value;
      const width = bandEdge(band + 1) - bandEdge(band);
      average += value * <f32>width;
      count += width;
      const weight: i32 = 1 + 2 * band - end;
      slope += value * <f32>weight;
    }
  }
  average = average / <f32>count;
  average += FIFTH;
  slope = (slope * <f32>6.0) / <f32>(channels * (end - 1) * (end + 1) * end);
  slope = HALF * slope;
  slope = max<f32>(min<f32>(slope, 0.031), -0.031);
  let middle = 0;
  while (bandEdge(middle + 1) < bandEdge(end) / 2) middle++;
  let boosted = 0;
  for (let band = 0; band < end; band++) {
    const line: f32 = average + slope * <f32>(band - middle);
    let above = load<f32>(mask + (<usize>band << 2));
    if (channels == 2) above = max<f32>(above, load<f32>(mask + (<usize>(BANDS + band) << 2)));
    above = min<f32>(above, 0.0);
    above -= line;
    if (above > QUARTER) {
      store<f32>(SURROUND_BOOST_AT + (<usize>band << 2), above - QUARTER);
      boosted++;
    }
  }
  if (boosted >= 3) {
    // So many bands stand out because the line lies too low.
    average += QUARTER;
    if (average > 0.0) {
      average = 0.0;
      slope = 0.0;
      memory.fill(SURROUND_BOOST_AT, 0, <usize>end << 2);
    } else {
      for (let band = 0; band < end; band++) {
        const at = SURROUND_BOOST_AT + (<usize>band << 2);
        store<f32>(at, max<f32>(0.0, load<f32>(at) - QUARTER));
      }
    }
  }
  average += FIFTH;
  p.surroundTrim = <f32>64.0 * slope;
  p.surroundMasking = average;
}
