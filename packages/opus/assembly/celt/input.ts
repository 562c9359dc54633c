// Input of a CELT frame: pre-emphasis, and the largest magnitude.
import { preemphasis } from "../tables/celt";
import { INPUT_AT } from "./encoder-scratch";
import { CeltEncoder, MAX_PERIOD, prefilterMemory } from "./encoder-state";
import { OVERLAP } from "./state";

const SIGNAL_SCALE: f32 = 32768.0;
const CLIP: f32 = 65536.0;

export function largestMagnitude(x: usize, count: i32): f32 {
  let largest = f32x4.splat(0.0);
  const bytes = <usize>count << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(x + at)));
  largest = f32x4.pmax(largest, i64x2.shuffle(largest, largest, 1, 0));
  let result = max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  for (; at < bytes; at += 4) result = max<f32>(result, abs<f32>(load<f32>(x + at)));
  return result;
}

/** Pre-emphasised frame of every channel into INPUT, behind 120 samples of the past. */
export function takeInput(state: CeltEncoder, pcm: usize, count: i32, clips: bool): void {
  const channels = state.channels;
  for (let channel = 0; channel < channels; channel++) {
    const input = INPUT_AT + (<usize>(channel * (count + OVERLAP)) << 2);
    const past = prefilterMemory(state, channel) + (<usize>(MAX_PERIOD - OVERLAP) << 2);
    memory.copy(input, past, <usize>OVERLAP << 2);
  }
  if (state.upsample == 1 && !clips) {
    if (channels == 2) takeStereo(state, pcm, count);
    else takeMono(state, pcm, count);
    return;
  }
  for (let channel = 0; channel < channels; channel++) takeSparse(state, pcm, count, channel, clips);
}

function takeStereo(state: CeltEncoder, pcm: usize, count: i32): void {
  const left = INPUT_AT + (<usize>OVERLAP << 2);
  const right = left + (<usize>(count + OVERLAP) << 2);
  const scale = f32x4.splat(SIGNAL_SCALE);
  const coefficient = v128.load32_splat(preemphasis);
  let memoryLeft = f32x4.splat(state.preemphasisLeft);
  let memoryRight = f32x4.splat(state.preemphasisRight);
  for (let at: usize = 0; at < <usize>count << 2; at += 16) {
    const low = f32x4.mul(scale, v128.load(pcm + 2 * at));
    const high = f32x4.mul(scale, v128.load(pcm + 2 * at, 16));
    const l = i32x4.shuffle(low, high, 0, 2, 4, 6);
    const r = i32x4.shuffle(low, high, 1, 3, 5, 7);
    const nextLeft = f32x4.mul(coefficient, l);
    const nextRight = f32x4.mul(coefficient, r);
    v128.store(left + at, f32x4.sub(l, i32x4.shuffle(memoryLeft, nextLeft, 3, 4, 5, 6)));
    v128.store(right + at, f32x4.sub(r, i32x4.shuffle(memoryRight, nextRight, 3, 4, 5, 6)));
    memoryLeft = nextLeft;
    memoryRight = nextRight;
  }
  state.preemphasisLeft = f32x4.extract_lane(memoryLeft, 3);
  state.preemphasisRight = f32x4.extract_lane(memoryRight, 3);
}

function takeMono(state: CeltEncoder, pcm: usize, count: i32): void {
  const out = INPUT_AT + (<usize>OVERLAP << 2);
  const scale = f32x4.splat(SIGNAL_SCALE);
  const coefficient = v128.load32_splat(preemphasis);
  let memory0 = f32x4.splat(state.preemphasisLeft);
  for (let at: usize = 0; at < <usize>count << 2; at += 16) {
    const x = f32x4.mul(scale, v128.load(pcm + at));
    const next = f32x4.mul(coefficient, x);
    v128.store(out + at, f32x4.sub(x, i32x4.shuffle(memory0, next, 3, 4, 5, 6)));
    memory0 = next;
  }
  state.preemphasisLeft = f32x4.extract_lane(memory0, 3);
}

/** One channel where samples may have to be clipped, or where zeros go between them. */
function takeSparse(state: CeltEncoder, pcm: usize, count: i32, channel: i32, clips: bool): void {
  const out = INPUT_AT + (<usize>(channel * (count + OVERLAP) + OVERLAP) << 2);
  const memory0 = channel ? state.preemphasisRight : state.preemphasisLeft;
  const from = pcm + (<usize>channel << 2);
  const next = emphasize(from, out, count, state.channels, state.upsample, memory0, clips);
  if (channel) state.preemphasisRight = next;
  else state.preemphasisLeft = next;
}

/** Every `channels`-th sample, pre-emphasised, with zeros between; returns the memory of the filter. */
function emphasize(
  pcm: usize,
  to: usize,
  count: i32,
  channels: i32,
  upsample: i32,
  memoryBefore: f32,
  clips: bool,
): f32 {
  const coefficient = load<f32>(preemphasis);
  let memory0 = memoryBefore;
  let from = pcm;
  let out = to;
  for (let i = 0; i < count; i += upsample) {
    let x: f32 = SIGNAL_SCALE * load<f32>(from);
    if (clips) x = max<f32>(-CLIP, min<f32>(CLIP, x));
    from += <usize>channels << 2;
    store<f32>(out, x - memory0);
    memory0 = coefficient * x;
    out += 4;
    for (let k = 1; k < upsample; k++) {
      store<f32>(out, <f32>0.0 - memory0);
      memory0 = coefficient * <f32>0.0;
      out += 4;
    }
  }
  return memory0;
}

/** Pre-emphasis of `count` / `upsample` samples of one channel to `to`; returns the memory of the filter. */
export function takeEmphasized(pcm: usize, to: usize, count: i32, upsample: i32, memoryBefore: f32): f32 {
  return emphasize(pcm, to, count, 1, upsample, memoryBefore, false);
}
