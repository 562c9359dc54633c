// Concealment of lost CELT frames: repetition of the last pitch period, and after 100 ms noise of the background's shape.
import { window120 } from "../tables/celt-transform";
import { renormalize } from "./band-transform";
import { autocorrelate, filterBackward, filterForward, levinson } from "./lpc";
import { nextNoise } from "./math";
import { searchPitch } from "./pitch";
import { COEFFICIENTS_AT, EXCITATION_AT, FILTERED_AT, SPECTRUM_AT, WINDOWED_AT } from "./scratch";
import {
  backgroundEnergy,
  bandEdge,
  BANDS,
  CeltState,
  channelBuffer,
  channelLpc,
  FRAME_NOISE,
  FRAME_PERIODIC,
  HISTORY,
  logEnergy,
  LPC_ORDER,
  OVERLAP,
  SHORT_BLOCK,
} from "./state";
import { frameStart, postfilter, prefilterAndFold, shiftHistory, synthesize } from "./synthesis";

/** Samples of history that concealment predicts from. */
const MAX_PERIOD: i32 = 1024;
/** Units of 2.5 ms of concealment after which the pitch is given up. */
const PERIODIC_LIMIT: i32 = 40;

/** Replaces a frame of SHORT_BLOCK << lm samples. */
export function concealFrame(state: CeltState, lm: i32): void {
  const count = SHORT_BLOCK << lm;
  const noise =
    state.concealedDuration >= PERIODIC_LIMIT || state.startBand != 0 || state.skipPitchConcealment;
  if (noise) concealWithNoise(state, count, lm);
  else concealWithPitch(state, count);
  state.lossDuration = min<i32>(10000, state.lossDuration + (1 << lm));
  state.concealedDuration = min<i32>(10000, state.concealedDuration + (1 << lm));
  state.lastFrameType = noise ? FRAME_NOISE : FRAME_PERIODIC;
}

function concealWithNoise(state: CeltState, count: i32, lm: i32): void {
  shiftHistory(state, count);
  if (state.prefilterAndFold) prefilterAndFold(state, count);
  const decay: f32 = state.lossDuration == 0 ? 1.5 : 0.5;
  const energies = logEnergy(state);
  const background = backgroundEnergy(state);
  let seed = state.noiseSeed;
  for (let channel = 0; channel < state.channels; channel++) {
    for (let band = state.startBand; band < state.endBand; band++) {
      const at = <usize>(channel * BANDS + band) << 2;
      store<f32>(energies + at, max<f32>(load<f32>(background + at), load<f32>(energies + at) - decay));
    }
    for (let band = state.startBand; band < state.endBand; band++) {
      const width = (bandEdge(band + 1) - bandEdge(band)) << lm;
      const x = SPECTRUM_AT + (<usize>(count * channel + (bandEdge(band) << lm)) << 2);
      for (let at = x; at < x + (<usize>width << 2); at += 4) {
        seed = nextNoise(seed);
        store<f32>(at, <f32>(<i32>seed >> 20));
      }
      renormalize(x, width, 1.0);
    }
  }
  state.noiseSeed = seed;
  synthesize(state, state.channels, false, lm, false);
  const period = max<i32>(state.postfilterPeriod, 15);
  postfilter(state, count, period, state.postfilterGain, state.postfilterTapset);
  state.postfilterPeriodOld = state.postfilterPeriod;
  state.postfilterGainOld = state.postfilterGain;
  state.postfilterTapsetOld = state.postfilterTapset;
  state.prefilterAndFold = 0;
  // Two frames in a row must arrive before the pitch is trusted again.
  state.skipPitchConcealment = 1;
}

function concealWithPitch(state: CeltState, count: i32): void {
  let fade: f32 = 1.0;
  const first = state.lastFrameType != FRAME_PERIODIC;
  if (first) state.lastPitch = searchPitch(state);
  else fade = 0.8;
  for (let channel = 0; channel < state.channels; channel++) {
    extrapolate(state, channel, count, state.lastPitch, fade, first);
  }
  state.prefilterAndFold = 1;
}

function excitation(i: i32): usize {
  return EXCITATION_AT + (<usize>(LPC_ORDER + i) << 2);
}

/** Predictor of the last MAX_PERIOD samples, with a noise floor of -40 dB and a lag window. */
function analyse(lpc: usize): void {
  const x = excitation(0);
  memory.copy(WINDOWED_AT, x, <usize>MAX_PERIOD << 2);
  for (let i = 0; i < OVERLAP; i++) {
    const w = load<f32>(window120 + (<usize>i << 2));
    const low = <usize>i << 2;
    const high = <usize>(MAX_PERIOD - 1 - i) << 2;
    store<f32>(WINDOWED_AT + low, load<f32>(x + low) * w);
    store<f32>(WINDOWED_AT + high, load<f32>(x + high) * w);
  }
  const ac = COEFFICIENTS_AT;
  autocorrelate(WINDOWED_AT, ac, LPC_ORDER, MAX_PERIOD);
  store<f32>(ac, load<f32>(ac) * <f32>1.0001);
  const lag: f32 = <f32>0.008 * <f32>0.008;
  for (let i = 1; i <= LPC_ORDER; i++) {
    const at = ac + (<usize>i << 2);
    const value = load<f32>(at);
    store<f32>(at, value - value * lag * <f32>i * <f32>i);
  }
  levinson(lpc, ac, LPC_ORDER);
}

/** Continues one channel with its last pitch period, in the domain of the prediction residual. */
function extrapolate(
  state: CeltState,
  channel: i32,
  count: i32,
  pitch: i32,
  fade: f32,
  first: bool,
): void {
  const buffer = channelBuffer(state, channel);
  const lpc = channelLpc(state, channel);
  const known = min<i32>(2 * pitch, MAX_PERIOD);
  memory.copy(
    EXCITATION_AT,
    buffer + (<usize>(HISTORY - MAX_PERIOD - LPC_ORDER) << 2),
    <usize>(MAX_PERIOD + LPC_ORDER) << 2,
  );
  if (first) analyse(lpc);
  const residual = excitation(MAX_PERIOD - known);
  filterForward(residual, lpc, FILTERED_AT, known, LPC_ORDER);
  memory.copy(residual, FILTERED_AT, <usize>known << 2);

  // How the signal decays from one period to the next.
  let recent: f32 = 1.0;
  let older: f32 = 1.0;
  const half = known >> 1;
  for (let i = 0; i < half; i++) {
    const a = load<f32>(excitation(MAX_PERIOD - half + i));
    recent += a * a;
    const b = load<f32>(excitation(MAX_PERIOD - 2 * half + i));
    older += b * b;
  }
  recent = min<f32>(recent, older);
  const decay: f32 = sqrt<f32>(recent / older);

  memory.copy(buffer, buffer + (<usize>count << 2), <usize>(HISTORY - count) << 2);
  const out = frameStart(state, channel, count);
  const length = count + OVERLAP;
  const source = MAX_PERIOD - pitch;
  const played = buffer + (<usize>(HISTORY - MAX_PERIOD - count + source) << 2);
  let attenuation: f32 = fade * decay;
  let expected: f32 = 0.0;
  let j = 0;
  for (let i = 0; i < length; i++) {
    if (j >= pitch) {
      j -= pitch;
      attenuation = attenuation * decay;
    }
    store<f32>(out + (<usize>i << 2), attenuation * load<f32>(excitation(source + j)));
    const previous = load<f32>(played + (<usize>j << 2));
    expected += previous * previous;
    j++;
  }
  filterBackward(out, lpc, length, LPC_ORDER);

  let energy: f32 = 0.0;
  for (let i = 0; i < length; i++) {
    const value = load<f32>(out + (<usize>i << 2));
    energy += value * value;
  }
  // Written so that a NaN counts as an explosion of the filter.
  if (!(expected > <f32>0.2 * energy)) {
    memory.fill(out, 0, <usize>length << 2);
  } else if (expected < energy) {
    const ratio: f32 = sqrt<f32>((expected + <f32>1.0) / (energy + <f32>1.0));
    for (let i = 0; i < OVERLAP; i++) {
      const at = out + (<usize>i << 2);
      const gain: f32 = <f32>1.0 - load<f32>(window120 + (<usize>i << 2)) * (<f32>1.0 - ratio);
      store<f32>(at, gain * load<f32>(at));
    }
    for (let i = OVERLAP; i < length; i++) {
      const at = out + (<usize>i << 2);
      store<f32>(at, ratio * load<f32>(at));
    }
  }
}
