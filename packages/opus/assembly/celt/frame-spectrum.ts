// Spectrum and band energies of one encoded CELT frame, in long or short blocks.
import { encodeBit, encoderTellBits, RangeEncoder } from "../range-encoder";
import { BAND_LOG_AT, BAND_LOG_LONG_AT, INPUT_AT } from "./encoder-scratch";
import { CeltEncoder, oldEnergy } from "./encoder-state";
import { lowerUpperBands, measureBands } from "./energy-encode";
import { forwardMdct } from "./forward-mdct";
import { plan } from "./frame-plan";
import { FREQUENCIES_AT } from "./scratch";
import { BANDS, MAX_LM, OVERLAP, SHORT_BLOCK } from "./state";
import { analyseSurround } from "./surround-mask";
import { energyJumped } from "./transient";

const ONE_CHANNEL: usize = <usize>BANDS * 4;
const HALF: f32 = 0.5;

/** Spectrum of INPUT into FREQUENCIES, with `blocks` interleaved short blocks or one long one. */
function transform(state: CeltEncoder, shortBlocks: i32): void {
  const p = plan();
  const count = p.count;
  const blocks = shortBlocks ? shortBlocks : 1;
  const blockLength = shortBlocks ? SHORT_BLOCK : count;
  const shift = shortBlocks ? MAX_LM : MAX_LM - p.lm;
  for (let channel = 0; channel < state.channels; channel++) {
    const input = INPUT_AT + (<usize>(channel * (count + OVERLAP)) << 2);
    const out = FREQUENCIES_AT + <usize>channel * p.stride;
    for (let block = 0; block < blocks; block++) {
      forwardMdct(input + (<usize>(block * blockLength) << 2), out + (<usize>block << 2), shift, blocks);
    }
  }
  if (state.channels == 2 && p.channels == 1) {
    for (let at: usize = 0; at < p.stride; at += 4) {
      const left: f32 = HALF * load<f32>(FREQUENCIES_AT + at);
      const right: f32 = HALF * load<f32>(FREQUENCIES_AT + p.stride + at);
      store<f32>(FREQUENCIES_AT + at, left + right);
    }
  }
  if (state.upsample == 1) return;
  const factor = <f32>state.upsample;
  const bound = <usize>(count / state.upsample) << 2;
  for (let channel = 0; channel < p.channels; channel++) {
    const out = FREQUENCIES_AT + <usize>channel * p.stride;
    for (let at: usize = 0; at < bound; at += 4) store<f32>(out + at, load<f32>(out + at) * factor);
    memory.fill(out + bound, 0, p.stride - bound);
  }
}

function raiseLongLogs(endBand: i32): void {
  const p = plan();
  const rise: f32 = HALF * <f32>p.lm;
  for (let channel = 0; channel < p.channels; channel++) {
    for (let band = 0; band < endBand; band++) {
      const at = BAND_LOG_LONG_AT + (<usize>(channel * BANDS + band) << 2);
      store<f32>(at, load<f32>(at) + rise);
    }
  }
}

/** Spectrum and energies, with a second look for attacks that the envelope did not show. */
export function analyseSpectrum(state: CeltEncoder, re: RangeEncoder, totalBits: i32): void {
  const p = plan();
  const hybrid = state.startBand != 0;
  const secondTransform = p.shortBlocks && state.complexity >= 8;
  if (secondTransform) {
    transform(state, 0);
    measureBands(BAND_LOG_LONG_AT, state.endBand, p.channels, p.lm, p.stride);
    raiseLongLogs(state.endBand);
  }
  transform(state, p.shortBlocks);
  measureBands(BAND_LOG_AT, state.endBand, p.channels, p.lm, p.stride);
  if (state.lfe) lowerUpperBands(BAND_LOG_AT, state.endBand);
  analyseSurround(state);
  p.temporal = 0.0;
  if (!state.lfe) trackTemporal(state);
  if (!secondTransform) memory.copy(BAND_LOG_LONG_AT, BAND_LOG_AT, 2 * ONE_CHANNEL);
  const canSwitch = p.lm > 0 && encoderTellBits(re) + 3 <= totalBits;
  if (
    canSwitch &&
    !p.transient &&
    state.complexity >= 5 &&
    !state.lfe &&
    !hybrid &&
    energyJumped(oldEnergy(state), state.startBand, state.endBand, p.channels)
  ) {
    p.transient = 1;
    p.shortBlocks = 1 << p.lm;
    transform(state, p.shortBlocks);
    measureBands(BAND_LOG_AT, state.endBand, p.channels, p.lm, p.stride);
    raiseLongLogs(state.endBand);
    p.estimate = 0.2;
  }
  if (canSwitch) encodeBit(re, p.transient, 3);
}

/** Energy of the frame above the running average, for the variable rate. */
function trackTemporal(state: CeltEncoder): void {
  const p = plan();
  let follow: f32 = -10.0;
  let average: f32 = 0.0;
  const one: f32 = 1.0;
  const offset: f32 = p.shortBlocks ? HALF * <f32>p.lm : <f32>0.0;
  for (let band = state.startBand; band < state.endBand; band++) {
    const at = BAND_LOG_AT + (<usize>band << 2);
    follow = max<f32>(follow - one, load<f32>(at) - offset);
    if (p.channels == 2) follow = max<f32>(follow, load<f32>(at + ONE_CHANNEL) - offset);
    average += follow;
  }
  average /= <f32>(state.endBand - state.startBand);
  const temporal = min<f32>(3.0, max<f32>(-1.5, average - state.spectrumAverage));
  p.temporal = temporal;
  state.spectrumAverage += <f32>0.02 * temporal;
}
