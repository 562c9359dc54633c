// Pitch post-filter (RFC 6716 section 4.3.7.1): a comb of five taps at the pitch lag, faded from frame to frame.
import { COMBFILTER_MINPERIOD, combFilterTaps } from "../tables/celt";
import { window120 } from "../tables/celt-transform";
import { OVERLAP } from "./state";

function tap(tapset: i32, index: i32): f32 {
  return load<f32>(combFilterTaps + (<usize>(tapset * 3 + index) << 2));
}

/**
 * y[i] = x[i] + taps * x around i - lag, with `fade` from the old to the new parameters over 120 samples, else with the
 * new ones. `y` may be `x`: lags of at least 15 keep four outputs independent of each other. A gain of zero is no filter.
 */
export function combFilter(
  y: usize,
  x: usize,
  oldLag: i32,
  newLag: i32,
  count: i32,
  oldGain: f32,
  newGain: f32,
  oldTapset: i32,
  newTapset: i32,
  fade: bool,
): void {
  if (oldGain == 0.0 && newGain == 0.0) {
    if (x != y) memory.copy(y, x, <usize>count << 2);
    return;
  }
  const lag0 = max<i32>(oldLag, COMBFILTER_MINPERIOD);
  const lag1 = max<i32>(newLag, COMBFILTER_MINPERIOD);
  const g00 = f32x4.splat(oldGain * tap(oldTapset, 0));
  const g01 = f32x4.splat(oldGain * tap(oldTapset, 1));
  const g02 = f32x4.splat(oldGain * tap(oldTapset, 2));
  const g10 = f32x4.splat(newGain * tap(newTapset, 0));
  const g11 = f32x4.splat(newGain * tap(newTapset, 1));
  const g12 = f32x4.splat(newGain * tap(newTapset, 2));
  const one = f32x4.splat(1.0);
  const unchanged = oldGain == newGain && lag0 == lag1 && oldTapset == newTapset;
  const faded: usize = unchanged || !fade ? 0 : <usize>OVERLAP << 2;
  const bytes = <usize>count << 2;
  let at: usize = 0;
  let past0 = x - (<usize>lag0 << 2) - 8;
  let past1 = x - (<usize>lag1 << 2) - 8;
  for (; at < faded; at += 16) {
    const w = v128.load(window120 + at);
    const f = f32x4.mul(w, w);
    const g = f32x4.sub(one, f);
    let sum = f32x4.add(v128.load(x + at), f32x4.mul(f32x4.mul(g, g00), v128.load(past0, 8)));
    sum = f32x4.add(
      sum,
      f32x4.mul(f32x4.mul(g, g01), f32x4.add(v128.load(past0, 12), v128.load(past0, 4))),
    );
    sum = f32x4.add(sum, f32x4.mul(f32x4.mul(g, g02), f32x4.add(v128.load(past0, 16), v128.load(past0))));
    sum = f32x4.add(sum, f32x4.mul(f32x4.mul(f, g10), v128.load(past1, 8)));
    sum = f32x4.add(
      sum,
      f32x4.mul(f32x4.mul(f, g11), f32x4.add(v128.load(past1, 12), v128.load(past1, 4))),
    );
    sum = f32x4.add(sum, f32x4.mul(f32x4.mul(f, g12), f32x4.add(v128.load(past1, 16), v128.load(past1))));
    v128.store(y + at, sum);
    past0 += 16;
    past1 += 16;
  }
  if (newGain == 0.0) {
    if (x != y) memory.copy(y + at, x + at, bytes - at);
    return;
  }
  past1 = x + at - (<usize>lag1 << 2) - 8;
  for (; at < bytes; at += 16) {
    let sum = f32x4.add(v128.load(x + at), f32x4.mul(g10, v128.load(past1, 8)));
    sum = f32x4.add(sum, f32x4.mul(g11, f32x4.add(v128.load(past1, 12), v128.load(past1, 4))));
    sum = f32x4.add(sum, f32x4.mul(g12, f32x4.add(v128.load(past1, 16), v128.load(past1))));
    v128.store(y + at, sum);
    past1 += 16;
  }
}
