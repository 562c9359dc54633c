// From the normalised spectrum to samples: energies, transform, de-emphasis (RFC 6716 section 4.3.6 and 4.3.7).
import { bandMeanEnergy, CELT_SIG_SCALE, preemphasis, VERY_SMALL } from "../tables/celt";
import { combFilter } from "./comb-filter";
import { exp2, nextNoise } from "./math";
import { inverseMdct } from "./mdct";
import { renormalize } from "./band-transform";
import { window120 } from "../tables/celt-transform";
import {
  BAND_BITS_AT,
  COLLAPSE_MASKS_AT,
  FOLDED_OVERLAP_AT,
  FREQUENCIES_AT,
  SPECTRUM_AT,
  SYNTHESIS_AT,
} from "./scratch";
import {
  bandEdge,
  BANDS,
  CeltState,
  channelBuffer,
  HISTORY,
  logEnergy,
  logEnergy1,
  logEnergy2,
  MAX_LM,
  OVERLAP,
  SHORT_BLOCK,
} from "./state";

/** Log2 energies above this would overflow. */
const MAX_LOG_ENERGY: f32 = 32.0;

/** First sample of the frame of `count` samples that is being written. */
export function frameStart(state: CeltState, channel: i32, count: i32): usize {
  return channelBuffer(state, channel) + (<usize>(HISTORY - count) << 2);
}

/** Gives the bands of one channel their energy; bins outside the bands and above the output's bandwidth are zero. */
function applyEnergies(
  spectrum: usize,
  out: usize,
  energies: usize,
  startBand: i32,
  endBand: i32,
  m: i32,
  downsample: i32,
  silence: bool,
): void {
  const count = m * SHORT_BLOCK;
  let bound = m * bandEdge(endBand);
  if (downsample != 1) bound = min<i32>(bound, count / downsample);
  if (silence) {
    memory.fill(out, 0, <usize>count << 2);
    return;
  }
  let at = <usize>(m * bandEdge(startBand)) << 2;
  memory.fill(out, 0, at);
  for (let band = startBand; band < endBand; band++) {
    const log: f32 = load<f32>(energies + (<usize>band << 2)) + load<f32>(bandMeanEnergy + (<usize>band << 2));
    const gain = exp2(min<f32>(MAX_LOG_ENERGY, log));
    const gains = f32x4.splat(gain);
    const end = <usize>(m * bandEdge(band + 1)) << 2;
    for (; at + 16 <= end; at += 16) v128.store(out + at, f32x4.mul(v128.load(spectrum + at), gains));
    for (; at < end; at += 4) store<f32>(out + at, load<f32>(spectrum + at) * gain);
  }
  memory.fill(out + (<usize>bound << 2), 0, <usize>(count - bound) << 2);
}

/** Fills collapsed short blocks of transients with noise (RFC 6716 section 4.3.5). */
export function antiCollapse(
  state: CeltState,
  channels: i32,
  spectrumStride: usize,
  lm: i32,
  seed: u32,
): void {
  let noise = seed;
  const energies = logEnergy(state);
  const energies1 = logEnergy1(state);
  const energies2 = logEnergy2(state);
  for (let band = state.startBand; band < state.endBand; band++) {
    const width = bandEdge(band + 1) - bandEdge(band);
    const bits = load<i32>(BAND_BITS_AT + (<usize>band << 2));
    const depth = <i32>(<u32>(1 + bits) / <u32>width) >> lm;
    const threshold: f32 = <f32>0.5 * exp2(<f32>-0.125 * <f32>depth);
    const norm: f32 = <f32>1.0 / sqrt<f32>(<f32>(width << lm));
    for (let channel = 0; channel < channels; channel++) {
      const at = <usize>(channel * BANDS + band) << 2;
      let previous1 = load<f32>(energies1 + at);
      let previous2 = load<f32>(energies2 + at);
      if (channels == 1) {
        previous1 = max<f32>(previous1, load<f32>(energies1 + at + BANDS * 4));
        previous2 = max<f32>(previous2, load<f32>(energies2 + at + BANDS * 4));
      }
      const drop = max<f32>(0.0, load<f32>(energies + at) - min<f32>(previous1, previous2));
      let level: f32 = <f32>2.0 * exp2(-drop);
      if (lm == 3) level *= <f32>1.41421356;
      level = min<f32>(threshold, level) * norm;
      const mask: i32 = load<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels + channel));
      const x = SPECTRUM_AT + <usize>channel * spectrumStride + (<usize>(bandEdge(band) << lm) << 2);
      let filled = false;
      for (let block = 0; block < 1 << lm; block++) {
        if (mask & (1 << block)) continue;
        for (let j = 0; j < width; j++) {
          noise = nextNoise(noise);
          store<f32>(x + (<usize>((j << lm) + block) << 2), noise & 0x8000 ? level : -level);
        }
        filled = true;
      }
      if (filled) renormalize(x, width << lm, 1.0);
    }
  }
}

/** Inverse transform of the frame in SPECTRUM into the channels' buffers. */
export function synthesize(
  state: CeltState,
  streamChannels: i32,
  transient: bool,
  lm: i32,
  silence: bool,
): void {
  const m = 1 << lm;
  const count = m * SHORT_BLOCK;
  const stride = <usize>count << 2;
  const blocks = transient ? m : 1;
  const blockSize = transient ? SHORT_BLOCK : count;
  const shift = transient ? MAX_LM : MAX_LM - lm;
  const energies = logEnergy(state);
  const startBand = state.startBand;
  const endBand = state.endBand;
  const downsample = state.downsample;
  const first = FREQUENCIES_AT;
  const second = FREQUENCIES_AT + stride;
  applyEnergies(SPECTRUM_AT, first, energies, startBand, endBand, m, downsample, silence);
  if (streamChannels == 2) {
    applyEnergies(
      SPECTRUM_AT + stride,
      second,
      energies + BANDS * 4,
      startBand,
      endBand,
      m,
      downsample,
      silence,
    );
  }
  if (state.channels == 1 && streamChannels == 2) {
    const half = f32x4.splat(0.5);
    for (let at: usize = 0; at < stride; at += 16) {
      const left = f32x4.mul(half, v128.load(first + at));
      v128.store(first + at, f32x4.add(left, f32x4.mul(half, v128.load(second + at))));
    }
  }
  for (let channel = 0; channel < state.channels; channel++) {
    const from = channel == 1 && streamChannels == 2 ? second : first;
    const out = frameStart(state, channel, count);
    for (let block = 0; block < blocks; block++) {
      inverseMdct(from + (<usize>block << 2), out + (<usize>(blockSize * block) << 2), shift, blocks);
    }
  }
}

/** Makes room for `count` new samples in every channel's buffer. */
export function shiftHistory(state: CeltState, count: i32): void {
  for (let channel = 0; channel < state.channels; channel++) {
    const buffer = channelBuffer(state, channel);
    memory.copy(buffer, buffer + (<usize>count << 2), <usize>(HISTORY - count + OVERLAP) << 2);
  }
}

/** Post-filter of a new frame: the first 2.5 ms fade from the old parameters, the rest to the new ones. */
export function postfilter(state: CeltState, count: i32, period: i32, gain: f32, tapset: i32): void {
  state.postfilterPeriod = max<i32>(state.postfilterPeriod, 15);
  state.postfilterPeriodOld = max<i32>(state.postfilterPeriodOld, 15);
  for (let channel = 0; channel < state.channels; channel++) {
    const out = frameStart(state, channel, count);
    combFilter(
      out,
      out,
      state.postfilterPeriodOld,
      state.postfilterPeriod,
      SHORT_BLOCK,
      state.postfilterGainOld,
      state.postfilterGain,
      state.postfilterTapsetOld,
      state.postfilterTapset,
      true,
    );
    if (count > SHORT_BLOCK) {
      const rest = out + (SHORT_BLOCK << 2);
      combFilter(
        rest,
        rest,
        state.postfilterPeriod,
        period,
        count - SHORT_BLOCK,
        state.postfilterGain,
        gain,
        state.postfilterTapset,
        tapset,
        true,
      );
    }
  }
}

/**
 * After pitch concealment: takes the post-filter out of the samples beyond the frame and folds them as the transform would
 * have, so that the next frame can overlap with them.
 */
export function prefilterAndFold(state: CeltState, count: i32): void {
  for (let channel = 0; channel < state.channels; channel++) {
    const out = frameStart(state, channel, count);
    combFilter(
      FOLDED_OVERLAP_AT,
      out,
      state.postfilterPeriodOld,
      state.postfilterPeriod,
      OVERLAP,
      -state.postfilterGainOld,
      -state.postfilterGain,
      state.postfilterTapsetOld,
      state.postfilterTapset,
      false,
    );
    for (let i: usize = 0; i < <usize>OVERLAP / 2; i++) {
      const low = i << 2;
      const high = (OVERLAP - 1 - i) << 2;
      const sum: f32 =
        load<f32>(window120 + low) * load<f32>(FOLDED_OVERLAP_AT + high) +
        load<f32>(window120 + high) * load<f32>(FOLDED_OVERLAP_AT + low);
      store<f32>(out + low, sum);
    }
  }
}

/** De-emphasis y[n] = x[n] + c y[n-1] and decimation of the frame to interleaved samples; adds where `accumulate`. */
export function deemphasize(state: CeltState, pcm: usize, count: i32, accumulate: bool): void {
  const downsample = state.downsample;
  if (state.channels == 2 && downsample == 1 && !accumulate) {
    deemphasizeStereo(state, pcm, count);
    return;
  }
  const coefficient = load<f32>(preemphasis);
  const scale: f32 = <f32>1.0 / CELT_SIG_SCALE;
  const channels = state.channels;
  const step = <usize>channels << 2;
  for (let channel = 0; channel < channels; channel++) {
    let memory: f32 = channel ? state.deemphasisRight : state.deemphasisLeft;
    const x = frameStart(state, channel, count);
    const end = x + (<usize>count << 2);
    let to = pcm + (<usize>channel << 2);
    if (downsample == 1) {
      for (let at = x; at < end; at += 4) {
        const value: f32 = accumulate
          ? load<f32>(at) + memory + VERY_SMALL
          : load<f32>(at) + VERY_SMALL + memory;
        memory = coefficient * value;
        store<f32>(to, accumulate ? load<f32>(to) + scale * value : scale * value);
        to += step;
      }
    } else {
      let phase = 0;
      for (let at = x; at < end; at += 4) {
        const value: f32 = load<f32>(at) + VERY_SMALL + memory;
        memory = coefficient * value;
        if (phase == 0) {
          store<f32>(to, accumulate ? load<f32>(to) + scale * value : scale * value);
          to += step;
          phase = downsample;
        }
        phase--;
      }
    }
    if (channel) state.deemphasisRight = memory;
    else state.deemphasisLeft = memory;
  }
}

/** The common case: both channels' recursions run in two lanes. */
function deemphasizeStereo(state: CeltState, pcm: usize, count: i32): void {
  const coefficient = f32x4.splat(load<f32>(preemphasis));
  const scale = f32x4.splat(<f32>1.0 / CELT_SIG_SCALE);
  const small = f32x4.splat(VERY_SMALL);
  let left = frameStart(state, 0, count);
  let right = frameStart(state, 1, count);
  let memory = f32x4(state.deemphasisLeft, state.deemphasisRight, 0.0, 0.0);
  let to = pcm;
  for (let i = 0; i < count; i += 4) {
    const l = f32x4.add(v128.load(left), small);
    const r = f32x4.add(v128.load(right), small);
    const first = i32x4.shuffle(l, r, 0, 4, 1, 5);
    const second = i32x4.shuffle(l, r, 2, 6, 3, 7);
    const y0 = f32x4.add(first, memory);
    memory = f32x4.mul(coefficient, y0);
    const y1 = f32x4.add(i32x4.shuffle(first, first, 2, 3, 2, 3), memory);
    memory = f32x4.mul(coefficient, y1);
    v128.store(to, f32x4.mul(scale, i32x4.shuffle(y0, y1, 0, 1, 4, 5)));
    const y2 = f32x4.add(second, memory);
    memory = f32x4.mul(coefficient, y2);
    const y3 = f32x4.add(i32x4.shuffle(second, second, 2, 3, 2, 3), memory);
    memory = f32x4.mul(coefficient, y3);
    v128.store(to, f32x4.mul(scale, i32x4.shuffle(y2, y3, 0, 1, 4, 5)), 16);
    left += 16;
    right += 16;
    to += 32;
  }
  state.deemphasisLeft = f32x4.extract_lane(memory, 0);
  state.deemphasisRight = f32x4.extract_lane(memory, 1);
}
