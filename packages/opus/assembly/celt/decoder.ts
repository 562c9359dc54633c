// One CELT frame (RFC 6716 section 4.3): side information, energies, bands, synthesis.
import {
  decodeBit,
  decodeIcdf,
  decodeRawBits,
  decodeUint,
  RangeDecoder,
  tellBits,
  tellEighths,
} from "../range-decoder";
import { spreadIcdf, tapsetIcdf, tfSelect, trimIcdf } from "../tables/celt";
import { computeAllocation, computeCaps } from "./allocation";
import { decodeAllBands } from "./bands";
import { concealFrame } from "./conceal";
import { decodeCoarseEnergy, decodeFineEnergy, finishEnergy } from "./energy";
import { SPREAD_NORMAL } from "./pvq";
import { BOOSTS_AT, CAPS_AT, TF_CHANGE_AT } from "./scratch";
import {
  backgroundEnergy,
  bandEdge,
  BANDS,
  CeltState,
  FRAME_NORMAL,
  logEnergy,
  logEnergy1,
  logEnergy2,
  MAX_LM,
  SHORT_BLOCK,
  SILENT_BAND,
} from "./state";
import {
  antiCollapse,
  deemphasize,
  postfilter,
  prefilterAndFold,
  shiftHistory,
  synthesize,
} from "./synthesis";

import { traceCelt } from "../trace";

const INTERNAL_ERROR: i32 = -3;
const BAD_ARGUMENT: i32 = -1;
/** Bytes of one channel's energies. */
const ONE_CHANNEL: usize = <usize>BANDS * 4;

/** Changes of the time-frequency resolution per band, into TF_CHANGE. */
function decodeTfChanges(rd: RangeDecoder, startBand: i32, endBand: i32, transient: i32, lm: i32): void {
  let budget = rd.size * 8;
  let tell = <u32>tellBits(rd);
  let logProbability: u32 = transient ? 2 : 4;
  const selectReserved = lm > 0 && tell + logProbability + 1 <= budget;
  budget -= u32(selectReserved);
  let changed = 0;
  let current = 0;
  for (let band = startBand; band < endBand; band++) {
    if (tell + logProbability <= budget) {
      current ^= decodeBit(rd, logProbability);
      tell = tellBits(rd);
      changed |= current;
    }
    store<i32>(TF_CHANGE_AT + (<usize>band << 2), current);
    logProbability = transient ? 4 : 5;
  }
  const row = tfSelect + <usize>(lm * 8 + 4 * transient);
  let select = 0;
  if (selectReserved && load<i8>(row + <usize>changed) != load<i8>(row + <usize>(2 + changed))) {
    select = decodeBit(rd, 1);
  }
  for (let band = startBand; band < endBand; band++) {
    const at = TF_CHANGE_AT + (<usize>band << 2);
    store<i32>(at, load<i8>(row + <usize>(2 * select + load<i32>(at))));
  }
}

/** Extra bits that the encoder gave to single bands, into BOOSTS; returns what they cost in total. */
function decodeBoosts(
  rd: RangeDecoder,
  startBand: i32,
  endBand: i32,
  channels: i32,
  lm: i32,
  totalEighths: i32,
): i32 {
  let total = totalEighths;
  let logProbability = 6;
  let tell = <i32>tellEighths(rd);
  for (let band = startBand; band < endBand; band++) {
    const width = (channels * (bandEdge(band + 1) - bandEdge(band))) << lm;
    // A boost step is 6 bits, at most 1 bit and at least 1/8 bit per bin.
    const quanta = min<i32>(width << 3, max<i32>(48, width));
    const cap = load<i32>(CAPS_AT + (<usize>band << 2));
    let loopProbability = logProbability;
    let boost = 0;
    while (tell + (loopProbability << 3) < total && boost < cap) {
      const more = decodeBit(rd, loopProbability);
      tell = tellEighths(rd);
      if (!more) break;
      boost += quanta;
      total -= quanta;
      loopProbability = 1;
    }
    store<i32>(BOOSTS_AT + (<usize>band << 2), boost);
    if (boost > 0) logProbability = max<i32>(2, logProbability - 1);
  }
  return total;
}

/** After losses the energies that prediction builds on are lowered to what is safe. */
function makeEnergiesSafe(state: CeltState, lm: i32): void {
  const energies = logEnergy(state);
  const energies1 = logEnergy1(state);
  const energies2 = logEnergy2(state);
  const missingFrames: i32 = 1 + min<i32>(10, state.lossDuration >> lm);
  const missing = <f32>missingFrames;
  const safety: f32 = lm == 0 ? 1.5 : lm == 1 ? 0.5 : 0.0;
  for (let channel = 0; channel < 2; channel++) {
    for (let band = state.startBand; band < state.endBand; band++) {
      const at = <usize>(channel * BANDS + band) << 2;
      let e0 = load<f32>(energies + at);
      const e1 = load<f32>(energies1 + at);
      const e2 = load<f32>(energies2 + at);
      if (e0 < max<f32>(e1, e2)) {
        // Already going down: the trend continues.
        const slope = min<f32>(max<f32>(e1 - e0, <f32>0.5 * (e2 - e0)), 2.0);
        e0 -= max<f32>(0.0, missing * slope);
        e0 = max<f32>(-20.0, e0);
      } else {
        e0 = min<f32>(min<f32>(e0, e1), e2);
      }
      store<f32>(energies + at, e0 - safety);
    }
  }
}

/** Energies of past frames and of the background, after a frame. */
function updateEnergies(state: CeltState, streamChannels: i32, transient: i32, m: i32): void {
  const energies = logEnergy(state);
  const energies1 = logEnergy1(state);
  const energies2 = logEnergy2(state);
  const background = backgroundEnergy(state);
  if (streamChannels == 1) memory.copy(energies + ONE_CHANNEL, energies, ONE_CHANNEL);
  if (!transient) {
    memory.copy(energies2, energies1, 2 * ONE_CHANNEL);
    memory.copy(energies1, energies, 2 * ONE_CHANNEL);
  } else {
    for (let at: usize = 0; at < 2 * ONE_CHANNEL; at += 4) {
      store<f32>(energies1 + at, min<f32>(load<f32>(energies1 + at), load<f32>(energies + at)));
    }
  }
  // The background rises by at most 2.4 dB/s; after DTX the missing frames count too.
  const rise: f32 = <f32>min<i32>(160, state.lossDuration + m) * <f32>0.001;
  for (let at: usize = 0; at < 2 * ONE_CHANNEL; at += 4) {
    store<f32>(background + at, min<f32>(load<f32>(background + at) + rise, load<f32>(energies + at)));
  }
  for (let channel = 0; channel < 2; channel++) {
    for (let band = 0; band < BANDS; band++) {
      if (band >= state.startBand && band < state.endBand) continue;
      const at = <usize>(channel * BANDS + band) << 2;
      store<f32>(energies + at, 0.0);
      store<f32>(energies1 + at, SILENT_BAND);
      store<f32>(energies2 + at, SILENT_BAND);
    }
  }
}

/**
 * Decodes a frame of `length` bytes from `rd`, or conceals one where `length` <= 1.
 *
 * @param rd started on the frame; SILK may have read from it before
 * @param pcm interleaved f32 output at the API rate, written, or added to where `accumulate`
 * @param apiFrames frames per channel at the API rate: 2.5, 5, 10 or 20 ms
 * @returns `apiFrames` or a negative code
 */
export function celtDecode(
  state: CeltState,
  rd: RangeDecoder,
  length: i32,
  pcm: usize,
  apiFrames: i32,
  accumulate: bool,
): i32 {
  const count = apiFrames * state.downsample;
  let lm = 0;
  while (lm <= MAX_LM && SHORT_BLOCK << lm != count) lm++;
  if (lm > MAX_LM || length < 0 || length > 1275) return BAD_ARGUMENT;
  if (length <= 1) {
    concealFrame(state, lm);
    deemphasize(state, pcm, count, accumulate);
    return apiFrames;
  }
  const m = 1 << lm;
  const channels = state.streamChannels;
  const startBand = state.startBand;
  const endBand = state.endBand;
  const energies = logEnergy(state);
  const spectrumStride = <usize>count << 2;
  if (state.lossDuration == 0) state.skipPitchConcealment = 0;
  if (channels == 1) {
    for (let at: usize = 0; at < ONE_CHANNEL; at += 4) {
      store<f32>(energies + at, max<f32>(load<f32>(energies + at), load<f32>(energies + at + ONE_CHANNEL)));
    }
  }

  const totalBits = length * 8;
  let tell = tellBits(rd);
  let silence = false;
  if (tell >= totalBits) silence = true;
  else if (tell == 1) silence = decodeBit(rd, 15) != 0;
  if (silence) {
    // As if all bits had been read.
    tell = totalBits;
    rd.totalBits += tell - tellBits(rd);
  }
  let postfilterPeriod = 0;
  let postfilterGain: f32 = 0.0;
  let postfilterTapset = 0;
  if (startBand == 0 && tell + 16 <= totalBits) {
    if (decodeBit(rd, 1)) {
      const octave = decodeUint(rd, 6);
      postfilterPeriod = <i32>((16 << octave) + decodeRawBits(rd, 4 + octave)) - 1;
      const gain = decodeRawBits(rd, 3);
      if (tellBits(rd) + 2 <= totalBits) postfilterTapset = decodeIcdf(rd, tapsetIcdf, 2);
      postfilterGain = <f32>0.09375 * <f32>(gain + 1);
    }
    tell = tellBits(rd);
  }
  let transient = 0;
  if (lm > 0 && tell + 3 <= totalBits) {
    transient = decodeBit(rd, 3);
    tell = tellBits(rd);
  }
  const intra = tell + 3 <= totalBits ? decodeBit(rd, 3) : 0;
  if (!intra && state.lossDuration != 0) makeEnergiesSafe(state, lm);
  decodeCoarseEnergy(rd, energies, startBand, endBand, intra, channels, lm);
  decodeTfChanges(rd, startBand, endBand, transient, lm);
  tell = tellBits(rd);
  const spread = tell + 4 <= totalBits ? decodeIcdf(rd, spreadIcdf, 5) : SPREAD_NORMAL;
  computeCaps(lm, channels);
  const boosted = decodeBoosts(rd, startBand, endBand, channels, lm, totalBits << 3);
  const trim = <i32>tellEighths(rd) + 48 <= boosted ? decodeIcdf(rd, trimIcdf, 7) : 5;
  let bits = (totalBits << 3) - <i32>tellEighths(rd) - 1;
  const antiCollapseReserve = transient && lm >= 2 && bits >= (lm + 2) << 3 ? 8 : 0;
  bits -= antiCollapseReserve;
  const allocation = computeAllocation(rd, null, startBand, endBand, trim, bits, channels, lm);
  decodeFineEnergy(rd, energies, startBand, endBand, channels);
  shiftHistory(state, count);
  state.noiseSeed = decodeAllBands(
    rd,
    allocation,
    startBand,
    endBand,
    channels,
    spectrumStride,
    transient != 0,
    spread,
    (totalBits << 3) - antiCollapseReserve,
    lm,
    state.noiseSeed,
    state.phaseInversionDisabled,
  );
  const collapseProtected = antiCollapseReserve > 0 && decodeRawBits(rd, 1);
  finishEnergy(rd, energies, startBand, endBand, totalBits - tellBits(rd), channels);
  traceCelt(
    state,
    allocation,
    lm,
    silence,
    transient,
    intra,
    spread,
    trim,
    postfilterPeriod,
    postfilterGain,
    postfilterTapset,
    collapseProtected != 0,
  );
  if (collapseProtected) antiCollapse(state, channels, spectrumStride, lm, state.noiseSeed);
  if (silence) {
    for (let at: usize = 0; at < <usize>(channels * BANDS) << 2; at += 4) {
      store<f32>(energies + at, SILENT_BAND);
    }
  }
  if (state.prefilterAndFold) prefilterAndFold(state, count);
  synthesize(state, channels, transient != 0, lm, silence);
  postfilter(state, count, postfilterPeriod, postfilterGain, postfilterTapset);
  state.postfilterPeriodOld = lm ? postfilterPeriod : state.postfilterPeriod;
  state.postfilterGainOld = lm ? postfilterGain : state.postfilterGain;
  state.postfilterTapsetOld = lm ? postfilterTapset : state.postfilterTapset;
  state.postfilterPeriod = postfilterPeriod;
  state.postfilterGain = postfilterGain;
  state.postfilterTapset = postfilterTapset;
  updateEnergies(state, channels, transient, m);
  state.noiseSeed = rd.range;
  deemphasize(state, pcm, count, accumulate);
  state.lossDuration = 0;
  state.concealedDuration = 0;
  state.lastFrameType = FRAME_NORMAL;
  state.prefilterAndFold = 0;
  if (tellBits(rd) > totalBits) return INTERNAL_ERROR;
  if (rd.error) state.error = 1;
  return apiFrames;
}
