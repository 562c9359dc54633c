// Target size of a frame at variable bit rate, from what the analysis found about the signal.
import { analysisOf, CeltEncoder } from "./encoder-state";
import { bandEdge, BANDS } from "./state";

/**
 * Target in 1/8 bit for a frame of the CELT-only mode.
 * @param baseTarget share of the frame in the bit rate
 * @param temporal energy of the frame above the average, log2
 * @param surroundMasking what the other channels mask, log2, where the state has a mask of theirs
 */
export function variableTarget(
  state: CeltEncoder,
  baseTarget: i32,
  lm: i32,
  equivalentRate: i32,
  channels: i32,
  totalBoost: i32,
  estimate: f32,
  pitchChange: bool,
  maxDepth: f32,
  temporal: f32,
  surroundMasking: f32,
): i32 {
  const analysis = analysisOf(state);
  const codedBands = state.lastCodedBands ? state.lastCodedBands : BANDS;
  let codedBins = bandEdge(codedBands) << lm;
  if (channels == 2) codedBins += bandEdge(min<i32>(state.intensity, codedBands)) << lm;
  const codedEighths = <f32>(codedBins << 3);
  let target = baseTarget;
  const lowActivity: f64 = 0.4;
  if (analysis.valid && <f64>analysis.activity < lowActivity) {
    target -= <i32>(codedEighths * (<f32>0.4 - analysis.activity));
  }
  if (channels == 2) {
    // What mid and side save by redundancy between the channels.
    const stereoBands = min<i32>(state.intensity, codedBands);
    const freedom = (bandEdge(stereoBands) << lm) - stereoBands;
    const most: f32 = (<f32>0.8 * <f32>freedom) / <f32>codedBins;
    const saving = min<f32>(state.stereoSaving, 1.0);
    target -= <i32>min<f32>(most * <f32>target, (saving - <f32>0.1) * <f32>(freedom << 3));
  }
  target += totalBoost - (19 << lm);
  target += <i32>((estimate - <f32>0.044) * <f32>target);
  const lfe = state.lfe != 0;
  const masked = state.hasMask != 0;
  if (analysis.valid && !lfe) {
    const tonal: f32 = max<f32>(0.0, analysis.tonality - <f32>0.15) - <f32>0.12;
    let tonalTarget = target + <i32>(codedEighths * <f32>1.2 * tonal);
    if (pitchChange) tonalTarget += <i32>(codedEighths * <f32>0.8);
    target = tonalTarget;
  }
  if (masked && !lfe) {
    target = max<i32>(target / 4, target + <i32>(surroundMasking * codedEighths));
  }
  // No more than what lies above the noise floor.
  const bins = bandEdge(BANDS - 2) << lm;
  const floorDepth = max<i32>(<i32>(<f32>((channels * bins) << 3) * maxDepth), target >> 2);
  target = min<i32>(target, floorDepth);
  if (state.constrainedVbr && (!masked || lfe)) {
    target = baseTarget + <i32>(<f32>0.67 * <f32>(target - baseTarget));
  }
  if (!masked && estimate < <f32>0.2) {
    const amount: f32 = <f32>0.0000031 * <f32>max<i32>(0, min<i32>(32000, 96000 - equivalentRate));
    const factor: f32 = temporal * amount;
    target += <i32>(factor * <f32>target);
  }
  return min<i32>(2 * baseTarget, target);
}
