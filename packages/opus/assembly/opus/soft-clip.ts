// Soft clipping and integer output, as the reference does them.
import { OpusState } from "./state";

/** Whether every sample is within [-1, 1]. */
function allWithinOne(pcm: usize, samples: i32): bool {
  const end = pcm + (<usize>samples << 2);
  const one = f32x4.splat(1.0);
  let at = pcm;
  let outside = i32x4.splat(0);
  for (; at + 16 <= end; at += 16) outside = v128.or(outside, f32x4.gt(f32x4.abs(v128.load(at)), one));
  if (v128.any_true(outside)) return false;
  for (; at < end; at += 4) if (abs<f32>(load<f32>(at)) > 1.0) return false;
  return true;
}

/**
 * Bends peaks beyond +-1 back by x + a x^2 between the zero crossings around them; `a` goes on into the next packet, per
 * channel, so that there is no step.
 */
export function softClip(pcm: usize, frames: i32, channels: i32, state: OpusState): void {
  const samples = frames * channels;
  if (samples < 1) return;
  if (state.softClipLeft == 0.0 && state.softClipRight == 0.0 && allWithinOne(pcm, samples)) return;
  const end = pcm + (<usize>samples << 2);
  for (let at = pcm; at < end; at += 4) {
    store<f32>(at, min<f32>(2.0, max<f32>(-2.0, load<f32>(at))));
  }
  state.softClipLeft = clipChannel(pcm, frames, channels, state.softClipLeft);
  if (channels == 2) state.softClipRight = clipChannel(pcm + 4, frames, 2, state.softClipRight);
}

export function clipChannel(x: usize, frames: i32, channels: i32, carried: f32): f32 {
  const step = <usize>channels << 2;
  let a = carried;
  for (let i = 0; i < frames; i++) {
    const at = x + <usize>i * step;
    const value = load<f32>(at);
    if (value * a >= 0.0) break;
    store<f32>(at, value + a * value * value);
  }
  let current = 0;
  const first = load<f32>(x);
  while (true) {
    let peak = current;
    for (; peak < frames; peak++) if (abs<f32>(load<f32>(x + <usize>peak * step)) > 1.0) break;
    if (peak == frames) return 0.0;
    const clipped = load<f32>(x + <usize>peak * step);
    let start = peak;
    let end = peak;
    let highest: f32 = abs<f32>(clipped);
    let position = peak;
    while (start > 0 && clipped * load<f32>(x + <usize>(start - 1) * step) >= 0.0) start--;
    while (end < frames) {
      const value = load<f32>(x + <usize>end * step);
      if (!(clipped * value >= 0.0)) break;
      if (abs<f32>(value) > highest) {
        highest = abs<f32>(value);
        position = end;
      }
      end++;
    }
    const special = start == 0 && clipped * load<f32>(x) >= 0.0;
    a = (highest - <f32>1.0) / (highest * highest);
    // 2^-22 more, so that rounding cannot leave a value above 1.
    a += a * <f32>2.4e-7;
    if (clipped > 0.0) a = -a;
    for (let i = start; i < end; i++) {
      const at = x + <usize>i * step;
      const value = load<f32>(at);
      store<f32>(at, value + a * value * value);
    }
    if (special && position >= 2) {
      // No zero crossing before the peak: a ramp hides the step at the start.
      let offset: f32 = first - load<f32>(x);
      const delta: f32 = offset / <f32>position;
      for (let i = current; i < position; i++) {
        const at = x + <usize>i * step;
        offset -= delta;
        const value: f32 = load<f32>(at) + offset;
        store<f32>(at, max<f32>(-1.0, min<f32>(1.0, value)));
      }
    }
    current = end;
    if (current == frames) break;
  }
  return a;
}

/** f32 to i16: times 32768, round half to even, saturate. */
export function convertToInt16(from: usize, to: usize, samples: i32): void {
  const scale = f32x4.splat(32768.0);
  const count = (samples + 7) & ~7;
  let out = to;
  const end = from + (<usize>count << 2);
  for (let at = from; at < end; at += 32) {
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), scale)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), scale)));
    v128.store(out, i16x8.narrow_i32x4_s(low, high));
    out += 16;
  }
}

/** f32 to i32 with full scale 2^23, round half to even. */
export function convertToInt24(from: usize, to: usize, samples: i32): void {
  const scale = f32x4.splat(8388608.0);
  const count = (samples + 3) & ~3;
  let out = to;
  const end = from + (<usize>count << 2);
  for (let at = from; at < end; at += 16) {
    v128.store(out, i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), scale))));
    out += 16;
  }
}
