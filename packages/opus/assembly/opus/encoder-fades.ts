// Changes of level and of stereo width over the CELT window, so that they make no step.
import { window120 } from "../tables/celt-transform";

/** Squared window at frame `i` of an overlap at 48 kHz / `step`. */
function fadeWeight(i: i32, step: i32): f32 {
  const w = load<f32>(window120 + (<usize>(i * step) << 2));
  return w * w;
}

/** Scales interleaved f32 in place, from `before` to `after` over `overlap48` frames at 48 kHz. */
export function fadeGain(
  pcm: usize,
  before: f32,
  after: f32,
  overlap48: i32,
  frames: i32,
  channels: i32,
  rateHz: i32,
): void {
  const step = max<i32>(1, 48000 / rateHz);
  const overlap = overlap48 / step;
  const one: f32 = 1.0;
  let at = pcm;
  for (let i = 0; i < frames; i++) {
    let gain = after;
    if (i < overlap) {
      const w = fadeWeight(i, step);
      gain = w * after + (one - w) * before;
    }
    for (let channel = 0; channel < channels; channel++) {
      store<f32>(at, gain * load<f32>(at));
      at += 4;
    }
  }
}

/** Narrows interleaved stereo in place: width 1 leaves it, width 0 makes it mono. */
export function fadeWidth(
  pcm: usize,
  before: f32,
  after: f32,
  overlap48: i32,
  frames: i32,
  rateHz: i32,
): void {
  const step = max<i32>(1, 48000 / rateHz);
  const overlap = overlap48 / step;
  const one: f32 = 1.0;
  const half: f32 = 0.5;
  const from: f32 = one - before;
  const to: f32 = one - after;
  let at = pcm;
  for (let i = 0; i < frames; i++) {
    let share = to;
    if (i < overlap) {
      const w = fadeWeight(i, step);
      share = w * to + (one - w) * from;
    }
    const left = load<f32>(at);
    const right = load<f32>(at, 4);
    const difference: f32 = share * (half * (left - right));
    store<f32>(at, left - difference);
    store<f32>(at, right + difference, 4);
    at += 8;
  }
}
