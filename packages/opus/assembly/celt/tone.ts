// Detects a pure or nearly pure tone by the poles of a two-tap predictor, which the pitch search and the transient
// detector could mistake for something else.
import { ENVELOPE_AT } from "./encoder-scratch";

@unmanaged
export class Tone {
  /** Radians per sample, -1 for none. */
  frequency: f32;
  /** Squared radius of the poles: 1 for a pure tone. */
  toneishness: f32;
  predictor0: f32;
  predictor1: f32;
}

function value(i: i32): f32 {
  return load<f32>(ENVELOPE_AT + (<usize>i << 2));
}

/** Least-squares predictor over both directions with taps `delay` and 2 `delay` back; false where it is ill-defined. */
function fitPredictor(tone: Tone, count: i32, delay: i32): bool {
  let r00: f32 = 0.0;
  let r01: f32 = 0.0;
  let r02: f32 = 0.0;
  const end = ENVELOPE_AT + (<usize>(count - 2 * delay) << 2);
  const step = <usize>delay << 2;
  for (let at = ENVELOPE_AT; at < end; at += 4) {
    const x = load<f32>(at);
    r00 += x * x;
    r01 += x * load<f32>(at + step);
    r02 += x * load<f32>(at + 2 * step);
  }
  let edges: f32 = 0.0;
  for (let i = 0; i < delay; i++) {
    edges += value(count + i - 2 * delay) * value(count + i - 2 * delay) - value(i) * value(i);
  }
  const r11: f32 = r00 + edges;
  edges = 0.0;
  for (let i = 0; i < delay; i++) {
    edges += value(count + i - delay) * value(count + i - delay) - value(i + delay) * value(i + delay);
  }
  const r22: f32 = r11 + edges;
  edges = 0.0;
  for (let i = 0; i < delay; i++) {
    edges += value(count + i - 2 * delay) * value(count + i - delay) - value(i) * value(i + delay);
  }
  const r12: f32 = r01 + edges;
  // Forwards plus backwards.
  const two: f32 = 2.0;
  const s00: f32 = r00 + r22;
  const s01: f32 = r01 + r12;
  const s11: f32 = two * r11;
  const s02: f32 = two * r02;
  const s12: f32 = r12 + r01;
  const denominator: f32 = s00 * s11 - s01 * s01;
  const tiny: f32 = 0.001;
  if (denominator < tiny * (s00 * s11)) return false;
  const numerator1: f32 = s02 * s11 - s01 * s12;
  if (numerator1 >= denominator) tone.predictor1 = 1.0;
  else if (numerator1 <= -denominator) tone.predictor1 = -1.0;
  else tone.predictor1 = numerator1 / denominator;
  const numerator0: f32 = s00 * s12 - s02 * s01;
  const half: f32 = 0.5;
  if (half * numerator0 >= denominator) tone.predictor0 = 1.999999;
  else if (half * numerator0 <= -denominator) tone.predictor0 = -1.999999;
  else tone.predictor0 = numerator0 / denominator;
  return true;
}

/** Analyses the mean of the channels at `input`, `count` samples each, `stride` bytes apart, at 48 kHz. */
export function detectTone(tone: Tone, input: usize, count: i32, stride: usize, channels: i32): void {
  if (channels == 2) {
    for (let at: usize = 0; at < <usize>count << 2; at += 4) {
      store<f32>(ENVELOPE_AT + at, load<f32>(input + at) + load<f32>(input + stride + at));
    }
  } else {
    memory.copy(ENVELOPE_AT, input, <usize>count << 2);
  }
  let delay = 1;
  let found = fitPredictor(tone, count, delay);
  // Poles too close to zero: again with longer taps.
  while (delay <= 48000 / 3000 && (!found || (tone.predictor0 > 1.0 && tone.predictor1 < 0.0))) {
    delay *= 2;
    found = fitPredictor(tone, count, delay);
  }
  const limit: f32 = 3.999999;
  if (found && tone.predictor0 * tone.predictor0 + limit * tone.predictor1 < 0.0) {
    const half: f32 = 0.5;
    tone.toneishness = -tone.predictor1;
    tone.frequency = <f32>(NativeMath.acos(<f64>(half * tone.predictor0)) / <f64>delay);
  } else {
    tone.frequency = -1.0;
    tone.toneishness = 0.0;
  }
}
