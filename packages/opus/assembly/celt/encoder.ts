// One CELT frame, encoder side (RFC 6716 section 5.3): the counterpart of decoder.ts, with the decisions that the
// standard leaves to the encoder.
import {
  encodeBit,
  encodeIcdf,
  encodeRawBits,
  encoderTellBits,
  encoderTellEighths,
  encodeUint,
  finishFrame,
  RangeEncoder,
  shrinkFrame,
} from "../range-encoder";
import { RangeDecoder } from "../range-decoder";
import { spreadIcdf, tapsetIcdf, trimIcdf } from "../tables/celt";
import { Allocation, AllocationChoice, computeAllocation, computeCaps } from "./allocation";
import { encodeAllBands } from "./bands-encode";
import { analyseDynamics, DynamicAllocation } from "./dynamic-allocation";
import {
  BAND_LOG_AT,
  ERROR_AT,
  INPUT_AT,
} from "./encoder-scratch";
import {
  analysisOf,
  BITRATE_MAX,
  CeltEncoder,
  energyError,
  MAX_PERIOD,
  oldEnergy,
  oldLogEnergy,
  oldLogEnergy2,
  prefilterMemory,
} from "./encoder-state";
import {
  encodeCoarseEnergy,
  encodeFineEnergy,
  finishEnergyEncode,
  normalizeBands,
} from "./energy-encode";
import { CHOICE_AT, DYNAMICS_AT, plan, PREFILTER_AT, TONE_AT, TRANSIENT_AT } from "./frame-plan";
import { analyseSpectrum } from "./frame-spectrum";
import { Prefilter, runPrefilter } from "./prefilter";
import { largestMagnitude, takeInput } from "./input";
import { SPREAD_AGGRESSIVE, SPREAD_NONE, SPREAD_NORMAL } from "./pvq";
import { BOOSTS_AT, CAPS_AT, SPECTRUM_AT, TF_CHANGE_AT } from "./scratch";
import { decideSpread } from "./spread-decision";
import { bandEdge, BANDS, MAX_LM, OVERLAP, SHORT_BLOCK, SILENT_BAND } from "./state";
import { analyseTimeFrequency, encodeTfChanges } from "./time-frequency";
import { detectTone, Tone } from "./tone";
import { findTransient, TransientVerdict } from "./transient";
import { chooseIntensity, chooseTrim, prefersDualStereo } from "./trim";
import { variableTarget } from "./variable-rate";

const BAD_ARGUMENT: i32 = -1;
const INTERNAL_ERROR: i32 = -3;
const ONE_CHANNEL: usize = <usize>BANDS * 4;
const HALF: f32 = 0.5;
/** Largest payload of one frame. */
const MAX_FRAME_BYTES: i32 = 1275;

function setAllTf(endBand: i32, value: i32): void {
  for (let band = 0; band < endBand; band++) store<i32>(TF_CHANGE_AT + (<usize>band << 2), value);
}

/** Time-frequency flags of the bands; returns the choice between the rows of levels. */
function chooseTimeFrequency(state: CeltEncoder, verdict: TransientVerdict, toneishness: f32): i32 {
  const p = plan();
  const hybrid = state.startBand != 0;
  const bytes = p.effectiveBytes;
  if (bytes >= 15 * p.channels && !hybrid && state.complexity >= 2 && !state.lfe && toneishness < <f32>0.98) {
    const lambda = max<i32>(80, 20480 / bytes + 2);
    const x = SPECTRUM_AT + <usize>verdict.channel * p.stride;
    return analyseTimeFrequency(x, state.endBand, p.transient, lambda, p.lm, p.estimate);
  }
  if (hybrid && verdict.weak) {
    setAllTf(state.endBand, 1);
    return 0;
  }
  if (hybrid && bytes < 15 && state.silkSignalType != 2) {
    // 5 ms rather than 2.5 ms at low rates.
    setAllTf(state.endBand, 0);
    return p.transient;
  }
  setAllTf(state.endBand, p.transient);
  return 0;
}

/** Steady energies lean towards the error of the last frame: a constant error is better than a changing one. */
function biasEnergies(state: CeltEncoder): void {
  const p = plan();
  for (let channel = 0; channel < p.channels; channel++) {
    for (let band = state.startBand; band < state.endBand; band++) {
      const at = <usize>(channel * BANDS + band) << 2;
      const log = load<f32>(BAND_LOG_AT + at);
      if (abs<f32>(log - load<f32>(oldEnergy(state) + at)) < <f32>2.0) {
        store<f32>(BAND_LOG_AT + at, log - <f32>0.25 * load<f32>(energyError(state) + at));
      }
    }
  }
}

function chooseSpread(state: CeltEncoder, prefilterOn: bool): i32 {
  const p = plan();
  if (state.lfe) {
    state.tapset = 0;
    return SPREAD_NORMAL;
  }
  if (state.startBand != 0) {
    if (state.complexity == 0) return SPREAD_NONE;
    return p.transient ? SPREAD_NORMAL : SPREAD_AGGRESSIVE;
  }
  if (p.shortBlocks || state.complexity < 3 || p.availableBytes < 10 * p.channels) {
    return state.complexity == 0 ? SPREAD_NONE : SPREAD_NORMAL;
  }
  const updateHigh = prefilterOn && !p.shortBlocks;
  return decideSpread(state, state.endBand, p.channels, 1 << p.lm, p.stride, updateHigh);
}

/** Codes the steps of BOOSTS and replaces them by 1/8 bits. Returns the position of the coder in 1/8 bit. */
function encodeBoosts(state: CeltEncoder, re: RangeEncoder, totalEighths: i32): i32 {
  const p = plan();
  let logProbability = 6;
  let total = 0;
  let tell = encoderTellEighths(re);
  for (let band = state.startBand; band < state.endBand; band++) {
    const width = (p.channels * (bandEdge(band + 1) - bandEdge(band))) << p.lm;
    const quanta = min<i32>(width << 3, max<i32>(48, width));
    const at = BOOSTS_AT + (<usize>band << 2);
    const wanted = load<i32>(at);
    const cap = load<i32>(CAPS_AT + (<usize>band << 2));
    let loopProbability = logProbability;
    let boost = 0;
    let steps = 0;
    while (tell + (loopProbability << 3) < totalEighths - total && boost < cap) {
      const more = i32(steps < wanted);
      encodeBit(re, more, loopProbability);
      tell = encoderTellEighths(re);
      if (!more) break;
      boost += quanta;
      total += quanta;
      loopProbability = 1;
      steps++;
    }
    if (steps) logProbability = max<i32>(2, logProbability - 1);
    store<i32>(at, boost);
  }
  p.totalBoostCoded = total;
  return tell;
}

/** Size of the frame at variable rate; updates the reservoir and its drift. */
function chooseSize(
  state: CeltEncoder,
  re: RangeEncoder,
  dynamics: DynamicAllocation,
  tell: i32,
  tellAtStart: i32,
): void {
  const p = plan();
  const channels = p.channels;
  const hybrid = state.startBand != 0;
  let least = ((tell + p.totalBoostCoded + 63) >> 6) + 2;
  // In hybrid mode 37 bits must be left for the signalling of redundancy.
  if (hybrid) least = max<i32>(least, (tellAtStart + 296 + p.totalBoostCoded + 63) >> 6);
  const lmDifference = MAX_LM - p.lm;
  p.compressedBytes = min<i32>(p.compressedBytes, MAX_FRAME_BYTES >> lmDifference);
  let baseTarget: i32;
  if (!hybrid) baseTarget = p.rateEighths - ((40 * channels + 20) << 3);
  else baseTarget = max<i32>(0, p.rateEighths - ((9 * channels + 4) << 3));
  if (state.constrainedVbr) baseTarget += state.vbrOffset >> lmDifference;
  let target: i32;
  if (!hybrid) {
    target = variableTarget(
      state,
      baseTarget,
      p.lm,
      p.equivalentRate,
      channels,
      dynamics.totalBoost,
      p.estimate,
      p.pitchChange != 0,
      dynamics.maxDepth,
      p.temporal,
      p.surroundMasking,
    );
  } else {
    target = baseTarget;
    // Tonal frames need more than noisy ones.
    if (state.silkOffset < 100) target += 96 >> lmDifference;
    if (state.silkOffset > 100) target -= 144 >> lmDifference;
    target += <i32>((p.estimate - <f32>0.25) * <f32>400.0);
    if (p.estimate > <f32>0.7) target = max<i32>(target, 400);
  }
  target += tell;
  let bytes = (target + 32) >> 6;
  bytes = min<i32>(p.compressedBytes, max<i32>(least, bytes));
  let delta = target - p.rateEighths;
  target = bytes << 6;
  if (p.silence) {
    bytes = 2;
    target = 128;
    delta = 0;
  }
  let alpha: f32 = 0.001;
  if (state.vbrCount < 970) {
    state.vbrCount++;
    alpha = <f32>1.0 / <f32>(state.vbrCount + 20);
  }
  if (state.constrainedVbr) {
    state.vbrReservoir += target - p.rateEighths;
    const miss = delta * (1 << lmDifference) - state.vbrOffset - state.vbrDrift;
    state.vbrDrift += <i32>(alpha * <f32>miss);
    state.vbrOffset = -state.vbrDrift;
    if (state.vbrReservoir < 0) {
      const adjust = -state.vbrReservoir / 64;
      if (!p.silence) bytes += adjust;
      state.vbrReservoir = 0;
    }
  }
  p.compressedBytes = min<i32>(p.compressedBytes, bytes);
  shrinkFrame(re, p.compressedBytes);
}

/** Bands of the input worth coding at this rate. */
function signalBand(state: CeltEncoder): i32 {
  if (state.lfe) return 1;
  const analysis = analysisOf(state);
  if (!analysis.valid) return state.endBand - 1;
  const p = plan();
  const rate = p.equivalentRate;
  let least = 20;
  if (rate < 32000 * p.channels) least = 13;
  else if (rate < 48000 * p.channels) least = 16;
  else if (rate < 60000 * p.channels) least = 18;
  else if (rate < 80000 * p.channels) least = 19;
  return max<i32>(analysis.bandwidth, least);
}

/** Energies of the past, after a frame. */
function updateEnergies(state: CeltEncoder): void {
  const p = plan();
  const energies = oldEnergy(state);
  const logs = oldLogEnergy(state);
  const logs2 = oldLogEnergy2(state);
  if (state.channels == 2 && p.channels == 1) memory.copy(energies + ONE_CHANNEL, energies, ONE_CHANNEL);
  const bytes = <usize>state.channels * ONE_CHANNEL;
  if (!p.transient) {
    memory.copy(logs2, logs, bytes);
    memory.copy(logs, energies, bytes);
  } else {
    for (let at: usize = 0; at < bytes; at += 4) {
      store<f32>(logs + at, min<f32>(load<f32>(logs + at), load<f32>(energies + at)));
    }
  }
  for (let channel = 0; channel < state.channels; channel++) {
    for (let band = 0; band < BANDS; band++) {
      if (band >= state.startBand && band < state.endBand) continue;
      const at = <usize>(channel * BANDS + band) << 2;
      store<f32>(energies + at, 0.0);
      store<f32>(logs + at, SILENT_BAND);
      store<f32>(logs2 + at, SILENT_BAND);
    }
  }
}

/** Finds and codes the prefilter; INPUT is filtered. Returns whether it is on. */
function codePrefilter(state: CeltEncoder, re: RangeEncoder, totalBits: i32, tell: i32, tone: Tone): bool {
  const p = plan();
  const prefilter = changetype<Prefilter>(PREFILTER_AT);
  const hybrid = state.startBand != 0;
  const enabled =
    (p.availableBytes > 12 * p.channels || (state.lfe && p.availableBytes > 3)) &&
    !hybrid &&
    !p.silence &&
    tell + 16 <= totalBits &&
    !state.disablePrefilter;
  const tapset = state.tapset;
  runPrefilter(
    state,
    prefilter,
    p.count,
    tapset,
    enabled,
    p.estimate,
    p.availableBytes,
    tone.frequency,
    tone.toneishness,
  );
  const analysis = analysisOf(state);
  const strong = prefilter.gain > <f32>0.4 || state.prefilterGain > <f32>0.4;
  const tonalLimit: f64 = 0.3;
  const tonal = !analysis.valid || <f64>analysis.tonality > tonalLimit;
  const upper: f64 = 1.26;
  const lower: f64 = 0.79;
  const period = <f64>prefilter.period;
  const before = <f64>state.prefilterPeriod;
  p.pitchChange = i32(strong && tonal && (period > upper * before || period < lower * before));
  if (!prefilter.on) {
    if (!hybrid && tell + 16 <= totalBits) encodeBit(re, 0, 1);
    return false;
  }
  encodeBit(re, 1, 1);
  const value = prefilter.period + 1;
  const octave = 32 - clz(value) - 5;
  encodeUint(re, octave, 6);
  encodeRawBits(re, value - (16 << octave), 4 + octave);
  encodeRawBits(re, prefilter.gainIndex, 3);
  encodeIcdf(re, tapset, tapsetIcdf, 2);
  return true;
}

/** Rate of the frame and the bytes it may take. */
function planRate(state: CeltEncoder, re: RangeEncoder, frameBytes: i32, tell: i32): void {
  const p = plan();
  const filled = (tell + 4) >> 3;
  let bytes = min<i32>(frameBytes, MAX_FRAME_BYTES);
  p.rateEighths = 0;
  if (state.vbr && state.bitrateBps != BITRATE_MAX) {
    p.rateEighths = ((state.bitrateBps * 6) / ((6 * 48000) / p.count)) << 3;
    p.effectiveBytes = p.rateEighths >> 6;
  } else {
    if (state.bitrateBps != BITRATE_MAX) {
      let bits = state.bitrateBps * p.count;
      if (tell > 1) bits += tell * 48000;
      bytes = max<i32>(2, min<i32>(bytes, (bits + 4 * 48000) / (8 * 48000)));
      shrinkFrame(re, bytes);
    }
    p.effectiveBytes = bytes - filled;
  }
  p.availableBytes = bytes - filled;
  const overhead = (40 * p.channels + 20) * ((400 >> p.lm) - 50);
  p.equivalentRate = ((bytes * 400) << (MAX_LM - p.lm)) - overhead;
  if (state.bitrateBps != BITRATE_MAX) {
    p.equivalentRate = min<i32>(p.equivalentRate, state.bitrateBps - overhead);
  }
  if (p.rateEighths > 0 && state.constrainedVbr) {
    // No more than what the reservoir allows.
    const room = (2 * p.rateEighths - state.vbrReservoir) >> 6;
    const most = min<i32>(max<i32>(tell == 1 ? 2 : 0, room), p.availableBytes);
    if (most < p.availableBytes) {
      bytes = filled + most;
      p.availableBytes = most;
      shrinkFrame(re, bytes);
    }
  }
  p.compressedBytes = bytes;
}

/** Largest magnitude of the frame and of the end of the one before. */
function largestInput(state: CeltEncoder, pcm: usize): f32 {
  const p = plan();
  const head = (p.channels * (p.count - OVERLAP)) / state.upsample;
  let largest = max<f32>(state.overlapMax, largestMagnitude(pcm, head));
  const tail = (p.channels * OVERLAP) / state.upsample;
  state.overlapMax = largestMagnitude(pcm + (<usize>head << 2), tail);
  largest = max<f32>(largest, state.overlapMax);
  return largest;
}

/**
 * Encodes one frame into `re`, where SILK may have written before, and finishes it.
 *
 * @param pcm interleaved f32 at the API rate
 * @param apiFrames frames per channel at the API rate: 2.5, 5, 10 or 20 ms
 * @param frameBytes size of the frame: exact at constant rate, most at variable rate; `re` has this size
 * @returns bytes of the frame or a negative code
 */
export function celtEncode(
  state: CeltEncoder,
  re: RangeEncoder,
  pcm: usize,
  apiFrames: i32,
  frameBytes: i32,
): i32 {
  const p = plan();
  const count = apiFrames * state.upsample;
  let lm = 0;
  while (lm <= MAX_LM && SHORT_BLOCK << lm != count) lm++;
  if (lm > MAX_LM || frameBytes < 2) return BAD_ARGUMENT;
  const channels = state.streamChannels;
  const startBand = state.startBand;
  const endBand = state.endBand;
  const hybrid = startBand != 0;
  p.lm = lm;
  p.count = count;
  p.channels = channels;
  p.stride = <usize>count << 2;
  p.silence = 0;
  p.transient = 0;
  p.shortBlocks = 0;
  p.estimate = 0.0;
  const tellAtStart = encoderTellEighths(re);
  let tell = encoderTellBits(re);
  planRate(state, re, frameBytes, tell);
  const filled = (tell + 4) >> 3;
  let totalBits = p.compressedBytes * 8;

  const largest = largestInput(state, pcm);
  if (tell == 1) {
    p.silence = i32(largest <= <f32>1.0 / <f32>(1 << state.lsbDepth));
    encodeBit(re, p.silence, 15);
  }
  if (p.silence) {
    if (p.rateEighths > 0) {
      p.compressedBytes = min<i32>(p.compressedBytes, filled + 2);
      p.effectiveBytes = p.compressedBytes;
      totalBits = p.compressedBytes * 8;
      p.availableBytes = 2;
      shrinkFrame(re, p.compressedBytes);
    }
    // As if all bits had been written.
    tell = p.compressedBytes * 8;
    re.totalBits += tell - encoderTellBits(re);
  }
  takeInput(state, pcm, count, largest > 65536.0);
  const samples = count + OVERLAP;
  const tone = changetype<Tone>(TONE_AT);
  detectTone(tone, INPUT_AT, samples, <usize>samples << 2, state.channels);
  const verdict = changetype<TransientVerdict>(TRANSIENT_AT);
  verdict.transient = 0;
  verdict.weak = 0;
  verdict.channel = 0;
  verdict.estimate = 0.0;
  if (state.complexity >= 1 && !state.lfe) {
    const allowWeak = hybrid && p.effectiveBytes < 15 && state.silkSignalType != 2;
    findTransient(
      verdict,
      INPUT_AT,
      samples,
      <usize>samples << 2,
      state.channels,
      allowWeak,
      tone.frequency,
      tone.toneishness,
    );
  }
  p.estimate = verdict.estimate;
  p.transient = verdict.transient;
  tone.toneishness = min<f32>(tone.toneishness, <f32>1.0 - p.estimate);
  const tapset = state.tapset;
  const prefilterOn = codePrefilter(state, re, totalBits, tell, tone);
  const prefilter = changetype<Prefilter>(PREFILTER_AT);
  let transientDisabled = false;
  if (lm > 0 && encoderTellBits(re) + 3 <= totalBits) {
    if (p.transient) p.shortBlocks = 1 << lm;
  } else {
    p.transient = 0;
    transientDisabled = true;
  }
  if (state.channels == 2 && channels == 1) verdict.channel = 0;
  analyseSpectrum(state, re, totalBits);
  normalizeBands(endBand, channels, lm, p.stride);
  const dynamics = changetype<DynamicAllocation>(DYNAMICS_AT);
  analyseDynamics(
    state,
    dynamics,
    channels,
    p.transient != 0,
    lm,
    p.effectiveBytes,
    tone.frequency,
    tone.toneishness,
  );
  const tfChoice = chooseTimeFrequency(state, verdict, tone.toneishness);
  biasEnergies(state);
  encodeCoarseEnergy(state, re, totalBits, channels, lm, p.availableBytes, state.complexity >= 4);
  encodeTfChanges(re, startBand, endBand, p.transient, lm, tfChoice);
  if (encoderTellBits(re) + 4 <= totalBits) {
    state.spread = chooseSpread(state, prefilterOn);
    encodeIcdf(re, state.spread, spreadIcdf, 5);
  } else {
    state.spread = SPREAD_NORMAL;
  }
  if (state.lfe) store<i32>(BOOSTS_AT, min<i32>(8, p.effectiveBytes / 3));
  computeCaps(lm, channels);
  tell = encodeBoosts(state, re, totalBits << 3);
  let dualStereo = false;
  if (channels == 2) {
    if (lm != 0) dualStereo = prefersDualStereo(lm, p.stride);
    const intensity = chooseIntensity(p.equivalentRate, state.intensity);
    state.intensity = min<i32>(endBand, max<i32>(startBand, intensity));
  }
  let trim = 5;
  if (tell + 48 <= (totalBits << 3) - p.totalBoostCoded) {
    if (hybrid || state.lfe) state.stereoSaving = 0.0;
    else trim = chooseTrim(state, channels, lm, p.stride, p.estimate, p.equivalentRate, p.surroundTrim);
    encodeIcdf(re, trim, trimIcdf, 7);
    tell = encoderTellEighths(re);
  }
  if (p.rateEighths > 0) chooseSize(state, re, dynamics, tell, tellAtStart);

  const bytes = p.compressedBytes;
  let bits = (bytes << 6) - encoderTellEighths(re) - 1;
  const antiCollapseReserve = p.transient && lm >= 2 && bits >= (lm + 2) << 3 ? 8 : 0;
  bits -= antiCollapseReserve;
  const choice = changetype<AllocationChoice>(CHOICE_AT);
  choice.re = re;
  choice.previousBands = state.lastCodedBands;
  choice.signalBand = signalBand(state);
  choice.intensity = state.intensity;
  choice.dualStereo = i32(dualStereo);
  const allocation = computeAllocation(
    changetype<RangeDecoder>(0),
    choice,
    startBand,
    endBand,
    trim,
    bits,
    channels,
    lm,
  );
  state.intensity = allocation.intensity;
  const coded = allocation.codedBands;
  const lastCoded = state.lastCodedBands;
  state.lastCodedBands = lastCoded ? min<i32>(lastCoded + 1, max<i32>(lastCoded - 1, coded)) : coded;
  encodeFineEnergy(re, oldEnergy(state), startBand, endBand, channels);
  encodeAllBands(
    re,
    allocation,
    startBand,
    endBand,
    channels,
    p.stride,
    p.shortBlocks != 0,
    state.spread,
    (bytes << 6) - antiCollapseReserve,
    lm,
    state.finalRange,
    state.phaseInversionDisabled,
    state.complexity,
  );
  if (antiCollapseReserve > 0) encodeRawBits(re, i32(state.consecutiveTransients < 2), 1);
  const bitsLeft = bytes * 8 - encoderTellBits(re);
  finishEnergyEncode(re, oldEnergy(state), startBand, endBand, bitsLeft, channels);
  memory.fill(energyError(state), 0, 2 * ONE_CHANNEL);
  for (let channel = 0; channel < channels; channel++) {
    for (let band = startBand; band < endBand; band++) {
      const at = <usize>(channel * BANDS + band) << 2;
      store<f32>(energyError(state) + at, max<f32>(-0.5, min<f32>(0.5, load<f32>(ERROR_AT + at))));
    }
  }
  if (p.silence) {
    for (let at: usize = 0; at < <usize>channels * ONE_CHANNEL; at += 4) {
      store<f32>(oldEnergy(state) + at, SILENT_BAND);
    }
  }
  state.prefilterPeriod = prefilter.period;
  state.prefilterGain = prefilter.gain;
  state.prefilterTapset = tapset;
  updateEnergies(state);
  if (p.transient || transientDisabled) state.consecutiveTransients++;
  else state.consecutiveTransients = 0;
  state.finalRange = re.range;
  finishFrame(re);
  return re.error ? INTERNAL_ERROR : bytes;
}
