// Opus encoder: decides on mode, bandwidth and channels of a packet and joins its frames.
import { SignalAnalysis } from "../celt/encoder-state";
import { OPUS_SCRATCH_AT, PACKET_AT } from "../layout";
import { silkEncoderInit } from "../silk/encoder";
import {
  bandwidthMonoMusic,
  bandwidthMonoVoice,
  bandwidthStereoMusic,
  bandwidthStereoVoice,
  modeThresholds,
  stereoMusicThreshold,
  stereoVoiceThreshold,
} from "../tables/encoder-tuning";
import { encodeFrame, frameEnergy, FrameRequest } from "./encoder-frame";
import { isDigitalSilence } from "./encoder-input";
import { bitsToRate, equivalentRate, MODE_UNKNOWN, rateToBits, redundancyBandwidth } from "./encoder-rate";
import {
  APPLICATION_AUDIO,
  APPLICATION_CELT,
  APPLICATION_LOW_DELAY,
  APPLICATION_SILK,
  APPLICATION_VOIP,
  AUTO,
  BITRATE_HIGHEST,
  celtEncoderOf,
  controlOf,
  OpusEncoderState,
  SIGNAL_MUSIC,
  SIGNAL_VOICE,
  silkEncoderOf,
} from "./encoder-state";
import { joinFrames, setFrame, tocByte } from "./packet-writer";
import { analysisAvailable, analyseSignal, readAnalysis, resetAnalysis, rewindAnalysis } from "./signal-analysis";
import { measureStereoWidth } from "./stereo-width";
import {
  BANDWIDTH_FULL,
  BANDWIDTH_MEDIUM,
  BANDWIDTH_NARROW,
  BANDWIDTH_SUPERWIDE,
  BANDWIDTH_WIDE,
  MODE_CELT,
  MODE_HYBRID,
  MODE_SILK,
} from "./state";

const BAD_ARGUMENT: i32 = -1;
const BUFFER_TOO_SMALL: i32 = -2;
const INTERNAL_ERROR: i32 = -3;
const ACTIVITY_THRESHOLD: f32 = 0.1;
/** Largest frame with its first byte. */
const MAX_FRAME_BYTES: i32 = 1276;

const REQUEST: usize = OPUS_SCRATCH_AT + 0x600;
const ANALYSIS: usize = OPUS_SCRATCH_AT + 0x680;
const PLAN: usize = OPUS_SCRATCH_AT + 0x700;
/** Payloads of the frames before they are joined. */
const FRAMES_AT: usize = PACKET_AT + 0x10000;

/** Quantities of a packet that its decisions share. */
@unmanaged
class PacketPlan {
  frames: i32;
  frameRate: i32;
  limit: i32;
  /** Bytes at constant rate, -1 at variable rate. */
  constantBytes: i32;
  stereoWidth: f32;
  /** Probability of voice, Q7. */
  voice: i32;
  equivalentRate: i32;
  redundancy: i32;
  celtToSilk: i32;
  toCelt: i32;
  prefill: i32;
}

function plan(): PacketPlan {
  return changetype<PacketPlan>(PLAN);
}

function signalAnalysis(): SignalAnalysis {
  return changetype<SignalAnalysis>(ANALYSIS);
}

/** The caller's bit rate for frames of this size, within what `limit` bytes can hold. */
function requestedRate(state: OpusEncoderState, frames: i32, limit: i32): i32 {
  const most = bitsToRate(limit * 8, state.sampleRate, frames);
  let rate = state.bitrateBps;
  if (rate == AUTO) rate = (60 * state.sampleRate) / frames + state.sampleRate * state.channels;
  else if (rate == BITRATE_HIGHEST) rate = 1500000;
  return min<i32>(rate, most);
}

function equivalentRateOf(state: OpusEncoderState, channels: i32, mode: i32): i32 {
  const p = plan();
  return equivalentRate(
    state.rateBps,
    channels,
    p.frameRate,
    state.vbr != 0,
    mode,
    state.complexity,
    state.packetLossPercent,
  );
}

/** What the analysis tells about voice and bandwidth. */
function readSignal(state: OpusEncoderState): void {
  const analysis = signalAnalysis();
  state.detectedBandwidth = 0;
  if (!analysis.valid) return;
  if (state.signal == AUTO) {
    let music = analysis.musicProbabilityMin;
    if (state.previousMode == MODE_UNKNOWN) music = analysis.musicProbability;
    else if (state.previousMode == MODE_CELT) music = analysis.musicProbabilityMax;
    const half: f64 = 0.5;
    state.voiceRatio = <i32>floor<f64>(half + <f64>(<f32>100.0 * (<f32>1.0 - music)));
  }
  const bands = analysis.bandwidth;
  if (bands <= 12) state.detectedBandwidth = BANDWIDTH_NARROW;
  else if (bands <= 14) state.detectedBandwidth = BANDWIDTH_MEDIUM;
  else if (bands <= 16) state.detectedBandwidth = BANDWIDTH_WIDE;
  else if (bands <= 18) state.detectedBandwidth = BANDWIDTH_SUPERWIDE;
  else state.detectedBandwidth = BANDWIDTH_FULL;
}

function voiceEstimate(state: OpusEncoderState): i32 {
  if (state.signal == SIGNAL_VOICE) return 127;
  if (state.signal == SIGNAL_MUSIC) return 0;
  if (state.voiceRatio >= 0) {
    const estimate = (state.voiceRatio * 327) >> 8;
    return state.application == APPLICATION_AUDIO ? min<i32>(estimate, 115) : estimate;
  }
  return state.application == APPLICATION_VOIP ? 115 : 48;
}

/** music + (voice - music) weighted by the squared probability of voice. */
function interpolated(music: i32, voice: i32): i32 {
  const estimate = plan().voice;
  return music + ((estimate * estimate * (voice - music)) >> 14);
}

function chooseChannels(state: OpusEncoderState): void {
  if (state.channels == 1) {
    state.streamChannels = 1;
  } else if (state.forceChannels != AUTO) {
    state.streamChannels = state.forceChannels;
  } else {
    let threshold = interpolated(stereoMusicThreshold, stereoVoiceThreshold);
    threshold += state.streamChannels == 2 ? -1000 : 1000;
    state.streamChannels = plan().equivalentRate > threshold ? 2 : 1;
  }
}

function chooseMode(state: OpusEncoderState): void {
  const p = plan();
  const control = controlOf(state);
  const application = state.application;
  if (application == APPLICATION_SILK) {
    state.mode = MODE_SILK;
  } else if (application == APPLICATION_LOW_DELAY || application == APPLICATION_CELT) {
    state.mode = MODE_CELT;
  } else if (state.forceMode != AUTO) {
    state.mode = state.forceMode;
  } else {
    const one: f32 = 1.0;
    const width = p.stereoWidth;
    const narrow: f32 = one - width;
    const monoVoice = <f32>load<i32>(modeThresholds);
    const stereoVoice = <f32>load<i32>(modeThresholds, 8);
    const stereoMusic = <f32>load<i32>(modeThresholds, 12);
    const voice = <i32>(narrow * monoVoice + width * stereoVoice);
    const music = <i32>(narrow * stereoMusic + width * stereoMusic);
    let threshold = interpolated(music, voice);
    if (application == APPLICATION_VOIP) threshold += 8000;
    if (state.previousMode == MODE_CELT) threshold -= 4000;
    else if (state.previousMode > 0) threshold += 4000;
    state.mode = p.equivalentRate >= threshold ? MODE_CELT : MODE_SILK;
    const lossy = state.packetLossPercent > (128 - p.voice) >> 4;
    if (state.inbandFec && lossy && (state.inbandFec != 2 || p.voice > 25)) state.mode = MODE_SILK;
    if (control.useDtx && p.voice > 100) state.mode = MODE_SILK;
    const least = rateToBits(p.frameRate > 50 ? 9000 : 6000, state.sampleRate, p.frames) / 8;
    if (p.limit < least) state.mode = MODE_CELT;
  }
  // SILK has no frames under 10 ms.
  if (state.mode != MODE_CELT && p.frames < state.sampleRate / 100) state.mode = MODE_CELT;
  if (state.lfe && application != APPLICATION_SILK) state.mode = MODE_CELT;
}

/** Transitions between SILK and CELT, and from stereo to mono. */
function planTransition(state: OpusEncoderState): void {
  const p = plan();
  const control = controlOf(state);
  p.redundancy = 0;
  p.celtToSilk = 0;
  p.toCelt = 0;
  p.prefill = 0;
  const wasCelt = state.previousMode == MODE_CELT;
  if (state.previousMode > 0 && (state.mode == MODE_CELT) != wasCelt) {
    p.redundancy = 1;
    p.celtToSilk = i32(state.mode != MODE_CELT);
    if (!p.celtToSilk) {
      // One more frame of SILK with the start of CELT in it.
      if (p.frames >= state.sampleRate / 100) {
        state.mode = state.previousMode;
        p.toCelt = 1;
      } else {
        p.redundancy = 0;
      }
    }
  }
  const goesMono = state.streamChannels == 1 && state.previousChannels == 2 && control.toMono == 0;
  if (goesMono && state.mode != MODE_CELT && !wasCelt) {
    // Two more frames of stereo, so that SILK can fade the side out.
    control.toMono = 1;
    state.streamChannels = 2;
  } else {
    control.toMono = 0;
  }
  p.equivalentRate = equivalentRateOf(state, state.streamChannels, state.mode);
  if (state.mode != MODE_CELT && wasCelt) {
    silkEncoderInit(silkEncoderOf(state), state.channels);
    p.prefill = 1;
  }
}

/** Widest bandwidth that the rate supports, with hysteresis. */
function bandwidthByRate(state: OpusEncoderState): i32 {
  const stereo = state.channels == 2 && state.forceChannels != 1;
  const voice = stereo ? bandwidthStereoVoice : bandwidthMonoVoice;
  const music = stereo ? bandwidthStereoMusic : bandwidthMonoMusic;
  let bandwidth = BANDWIDTH_FULL;
  do {
    const at = <usize>(bandwidth - BANDWIDTH_MEDIUM) << 3;
    let threshold = interpolated(load<i32>(music + at), load<i32>(voice + at));
    const hysteresis = interpolated(load<i32>(music + at, 4), load<i32>(voice + at, 4));
    if (!state.first) threshold += state.autoBandwidth >= bandwidth ? -hysteresis : hysteresis;
    if (plan().equivalentRate >= threshold) break;
  } while (--bandwidth > BANDWIDTH_NARROW);
  // Medium band is for transitions and on request.
  return bandwidth == BANDWIDTH_MEDIUM ? BANDWIDTH_WIDE : bandwidth;
}

function chooseBandwidth(state: OpusEncoderState): void {
  const p = plan();
  const control = controlOf(state);
  if (state.mode == MODE_CELT || state.first || control.allowBandwidthSwitch) {
    const bandwidth = bandwidthByRate(state);
    state.bandwidth = bandwidth;
    state.autoBandwidth = bandwidth;
    // No hybrid before SILK has fully arrived at wideband.
    const silkNarrow = !control.inWidebandWithoutTransition;
    if (!state.first && state.mode != MODE_CELT && silkNarrow && bandwidth > BANDWIDTH_WIDE) {
      state.bandwidth = BANDWIDTH_WIDE;
    }
  }
  state.bandwidth = min<i32>(state.bandwidth, state.maxBandwidth);
  if (state.userBandwidth != AUTO) state.bandwidth = state.userBandwidth;
  const mostRate = bitsToRate(p.limit * 8, state.sampleRate, p.frames);
  if (state.mode != MODE_CELT && mostRate < 15000) state.bandwidth = min<i32>(state.bandwidth, BANDWIDTH_WIDE);
  // Nothing above half of the input's rate.
  const rate = state.sampleRate;
  const nyquist =
    rate <= 8000
      ? BANDWIDTH_NARROW
      : rate <= 12000
        ? BANDWIDTH_MEDIUM
        : rate <= 16000
          ? BANDWIDTH_WIDE
          : rate <= 24000
            ? BANDWIDTH_SUPERWIDE
            : BANDWIDTH_FULL;
  state.bandwidth = min<i32>(state.bandwidth, nyquist);
  if (state.detectedBandwidth && state.userBandwidth == AUTO) {
    // The less certain the detection could be at a high rate, the less it narrows.
    const perChannel = p.equivalentRate;
    const channels = state.streamChannels;
    const celtOnly = state.mode == MODE_CELT;
    let least = BANDWIDTH_FULL;
    if (perChannel <= 18000 * channels && celtOnly) least = BANDWIDTH_NARROW;
    else if (perChannel <= 24000 * channels && celtOnly) least = BANDWIDTH_MEDIUM;
    else if (perChannel <= 30000 * channels) least = BANDWIDTH_WIDE;
    else if (perChannel <= 44000 * channels) least = BANDWIDTH_SUPERWIDE;
    state.detectedBandwidth = max<i32>(state.detectedBandwidth, least);
    state.bandwidth = min<i32>(state.bandwidth, state.detectedBandwidth);
  }
  decideRedundancy(state);
  if (state.mode == MODE_CELT && state.bandwidth == BANDWIDTH_MEDIUM) state.bandwidth = BANDWIDTH_WIDE;
  if (state.lfe) state.bandwidth = BANDWIDTH_NARROW;
  if (state.application == APPLICATION_SILK) state.bandwidth = min<i32>(state.bandwidth, BANDWIDTH_WIDE);
  if (state.mode == MODE_SILK && state.bandwidth > BANDWIDTH_WIDE) state.mode = MODE_HYBRID;
  if (state.mode == MODE_HYBRID && state.bandwidth <= BANDWIDTH_WIDE) state.mode = MODE_SILK;
}

/** Whether packets carry redundancy for lost ones, possibly at the price of bandwidth. */
function decideRedundancy(state: OpusEncoderState): void {
  const control = controlOf(state);
  const loss = state.packetLossPercent;
  if (!state.inbandFec || loss == 0 || state.mode == MODE_CELT) {
    control.lbrrCoded = 0;
    return;
  }
  const before = control.lbrrCoded != 0;
  const found = redundancyBandwidth(state.bandwidth - 1, plan().equivalentRate, loss, before);
  control.lbrrCoded = i32(found >= 0);
  if (found >= 0) state.bandwidth = found + 1;
}

/** A packet that only says that there is sound to conceal, where the rate allows no more. */
function writeEmptyPacket(state: OpusEncoderState, outBytes: i32): i32 {
  const p = plan();
  let frameRate = p.frameRate;
  let mode = state.mode == MODE_UNKNOWN ? MODE_SILK : state.mode;
  let bandwidth = state.bandwidth == 0 ? BANDWIDTH_NARROW : state.bandwidth;
  let count = 1;
  if (frameRate > 100) mode = MODE_CELT;
  if (frameRate == 25 && mode != MODE_SILK) {
    frameRate = 50;
    count = 2;
  }
  if (frameRate <= 16) {
    if (outBytes == 1 || (mode == MODE_SILK && frameRate != 10)) {
      mode = MODE_SILK;
      count = frameRate <= 12 ? 2 : 1;
      frameRate = frameRate == 12 ? 25 : 16;
    } else {
      count = 50 / frameRate;
      frameRate = 50;
    }
  }
  if (mode == MODE_SILK) bandwidth = min<i32>(bandwidth, BANDWIDTH_WIDE);
  else if (mode == MODE_CELT && bandwidth == BANDWIDTH_MEDIUM) bandwidth = BANDWIDTH_NARROW;
  else if (mode == MODE_HYBRID && bandwidth <= BANDWIDTH_SUPERWIDE) bandwidth = BANDWIDTH_SUPERWIDE;
  for (let i = 0; i < count; i++) setFrame(i, FRAMES_AT, 0);
  const limit = max<i32>(p.limit, count > 2 ? 2 : 1);
  const toc = tocByte(mode, frameRate, bandwidth, state.streamChannels);
  return joinFrames(PACKET_AT, toc, count, limit, !state.vbr);
}

/** Frames of one packet; `lsbDepth` as the input allows. */
function encodeFrames(state: OpusEncoderState, pcm: usize, outBytes: i32, silent: bool, lsbDepth: i32): i32 {
  const p = plan();
  const control = controlOf(state);
  const request = changetype<FrameRequest>(REQUEST);
  const rate = state.sampleRate;
  const frames = p.frames;
  request.analysis = signalAnalysis();
  request.celtToSilk = p.celtToSilk;
  request.prefill = p.prefill;
  request.equivalentRate = p.equivalentRate;
  const fits = frames <= rate / 50 || (state.mode == MODE_SILK && frames <= (3 * rate) / 50);
  if (fits) {
    request.silent = i32(silent);
    request.redundancy = p.redundancy;
    request.toCelt = p.toCelt;
    const bytes = encodeFrame(state, request, pcm, frames, FRAMES_AT, p.limit);
    if (bytes < 0) return bytes;
    setFrame(0, FRAMES_AT, bytes);
    return joinFrames(PACKET_AT, request.toc, 1, p.limit, !state.vbr && bytes > 0);
  }
  let frameLength = rate / 50;
  if (state.mode == MODE_SILK) {
    if (frames == (2 * rate) / 25) frameLength = rate / 25;
    else if (frames == (3 * rate) / 25) frameLength = (3 * rate) / 50;
  }
  const count = frames / frameLength;
  rewindAnalysis(state);
  const header = count == 2 ? 3 : 2 + (count - 1) * 2;
  const packetLimit =
    state.vbr || state.bitrateBps == BITRATE_HIGHEST ? outBytes : min<i32>(p.constantBytes, outBytes);
  const payloadLimit = count + packetLimit - header;
  const toMono = control.toMono;
  if (toMono) state.forceChannels = 1;
  else state.previousChannels = state.streamChannels;
  let total = 0;
  let omitted = 0;
  let toc: u32 = 0;
  const perFrame = rateToBits(state.rateBps, rate, frameLength) / 8;
  for (let i = 0; i < count; i++) {
    control.toMono = 0;
    state.nonfinalFrame = i32(i < count - 1);
    request.toCelt = i32(p.toCelt != 0 && i == count - 1);
    request.redundancy = i32(p.redundancy != 0 && (request.toCelt != 0 || (!p.toCelt && i == 0)));
    let limit = min<i32>(perFrame, payloadLimit / count);
    limit = min<i32>(payloadLimit - total, limit);
    const input = pcm + (<usize>(i * state.channels * frameLength) << 2);
    readAnalysis(state, signalAnalysis(), frameLength);
    request.silent = i32(isDigitalSilence(input, frameLength * state.channels, lsbDepth));
    const data = FRAMES_AT + <usize>(i * 1280);
    const bytes = encodeFrame(state, request, input, frameLength, data, limit);
    if (bytes < 0) return INTERNAL_ERROR;
    if (bytes == 0) omitted++;
    if (i > 0 && (request.toc & 0xfc) != (toc & 0xfc)) return INTERNAL_ERROR;
    toc = request.toc;
    setFrame(i, data, bytes);
    total += state.vbr || bytes == 0 ? bytes + 1 : max<i32>(limit, bytes + 1);
  }
  const pads = !state.vbr && omitted != count;
  const size = joinFrames(PACKET_AT, toc, count, packetLimit, pads);
  control.toMono = toMono;
  state.nonfinalFrame = 0;
  return size < 0 ? INTERNAL_ERROR : size;
}

/** Whether `frames` is 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms. */
export function isLegalDuration(state: OpusEncoderState, frames: i32): bool {
  const rate = state.sampleRate;
  if (state.application == APPLICATION_SILK && frames < rate / 100) return false;
  for (let size = rate / 400; size <= rate / 25; size <<= 1) if (size == frames) return true;
  for (let twentieths = 3; twentieths <= 6; twentieths++) if (50 * frames == twentieths * rate) return true;
  return false;
}

/**
 * Encodes `frames` sample frames of interleaved f32 at `pcm` to the packet address.
 * @param outBytes room for the packet; takes part in the rate control
 * @param inputDepth bits of the input's samples
 * @param analysed what the music and speech analysis hears, in the form of `pcm`, and mostly the same
 * @returns bytes of the packet or a negative code
 */
export function opusEncode(
  state: OpusEncoderState,
  pcm: usize,
  frames: i32,
  outBytes: i32,
  inputDepth: i32,
  analysed: usize,
): i32 {
  const p = plan();
  const control = controlOf(state);
  const rate = state.sampleRate;
  const channels = state.channels;
  state.finalRange = 0;
  if (!isLegalDuration(state, frames) || outBytes <= 0) return BAD_ARGUMENT;
  if (outBytes == 1 && rate == frames * 10) return BUFFER_TOO_SMALL;
  p.frames = frames;
  p.limit = min<i32>(MAX_FRAME_BYTES * 6, outBytes);
  const lsbDepth = min<i32>(inputDepth, state.lsbDepth);
  const silent = isDigitalSilence(pcm, frames * channels, lsbDepth);
  const analysis = signalAnalysis();
  analysis.valid = 0;
  if (analysisAvailable(state)) analyseSignal(state, analysis, analysed, frames, lsbDepth);
  else resetAnalysis(state);
  if (!silent) state.voiceRatio = -1;
  readSignal(state);
  if ((!analysis.valid || analysis.activityProbability > ACTIVITY_THRESHOLD) && !silent) {
    const decay: f32 = 0.999;
    state.peakEnergy = max<f32>(decay * state.peakEnergy, frameEnergy(pcm, frames * channels));
  }
  p.stereoWidth = 0.0;
  if (channels == 2 && state.forceChannels != 1) p.stereoWidth = measureStereoWidth(state, pcm, frames);
  state.rateBps = requestedRate(state, frames, p.limit);
  p.frameRate = rate / frames;
  p.constantBytes = -1;
  if (!state.vbr) {
    p.constantBytes = min<i32>((rateToBits(state.rateBps, rate, frames) + 4) / 8, p.limit);
    state.rateBps = bitsToRate(p.constantBytes * 8, rate, frames);
    p.limit = max<i32>(1, p.constantBytes);
  }
  const tooLow =
    p.limit < 3 ||
    state.rateBps < 24 * p.frameRate ||
    (p.frameRate < 50 && (p.limit * p.frameRate < 300 || state.rateBps < 2400));
  if (tooLow) return writeEmptyPacket(state, outBytes);
  p.equivalentRate = equivalentRateOf(state, channels, MODE_UNKNOWN);
  p.voice = voiceEstimate(state);
  chooseChannels(state);
  p.equivalentRate = equivalentRateOf(state, state.streamChannels, MODE_UNKNOWN);
  control.packetLossPercent = state.packetLossPercent;
  control.complexity = state.complexity;
  control.useInbandFec = i32(state.inbandFec != 0);
  control.reducedDependency = state.predictionDisabled;
  control.useDtx = i32(state.dtx != 0 && !analysis.valid && !silent);
  chooseMode(state);
  planTransition(state);
  chooseBandwidth(state);
  celtEncoderOf(state).lsbDepth = lsbDepth;
  return encodeFrames(state, pcm, outBytes, silent, lsbDepth);
}
