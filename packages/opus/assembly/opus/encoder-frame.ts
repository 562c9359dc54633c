// One frame of the Opus encoder: filters the input, divides the bits between SILK and CELT, runs both, and adds the
// redundancy of transitions. Counterpart of the frame decoder in decoder.ts.
import { celtEncode } from "../celt/encoder";
import {
  analysisOf,
  BITRATE_MAX,
  CeltEncoder,
  celtEncoderReset,
  SIGNAL_ANALYSIS_BYTES,
  SignalAnalysis,
  surroundMask,
} from "../celt/encoder-state";
import { exp2, innerProduct } from "../celt/math";
import { BANDS } from "../celt/state";
import { OPUS_SCRATCH_AT } from "../layout";
import {
  encodeBit,
  encoderTellBits,
  encodeUint,
  finishFrame,
  RangeEncoder,
  rangeEncoderInit,
  shrinkFrame,
} from "../range-encoder";
import { ENCODE, silkEncode } from "../silk/encoder";
import {
  ACTIVITY_NONE,
  ACTIVITY_PRESENT,
  ACTIVITY_UNKNOWN,
  channelEncoderOf,
  SilkEncoderControl,
} from "../silk/encoder-state";
import { hybridSilkRate, MAX_CONSECUTIVE_DTX, NB_SPEECH_FRAMES_BEFORE_DTX } from "../tables/encoder-tuning";
import { fadeGain, fadeWidth } from "./encoder-fades";
import { cutoffHz, dropInvalid, followCutoff, highPass, initialCutoffQ15, rejectDc } from "./encoder-input";
import { bitsToRate, rateToBits } from "./encoder-rate";
import {
  APPLICATION_CELT,
  APPLICATION_SILK,
  APPLICATION_VOIP,
  bufferFrames,
  celtEncoderOf,
  compensationFrames,
  controlOf,
  delayBuffer,
  filterMemory,
  OpusEncoderState,
  silkEncoderOf,
} from "./encoder-state";
import { tocByte } from "./packet-writer";
import {
  BANDWIDTH_MEDIUM,
  BANDWIDTH_NARROW,
  BANDWIDTH_SUPERWIDE,
  BANDWIDTH_WIDE,
  MODE_CELT,
  MODE_HYBRID,
  MODE_SILK,
} from "./state";

const INTERNAL_ERROR: i32 = -3;
const BUFFER_TOO_SMALL: i32 = -2;
const OVERLAP_48: i32 = 120;
const ONE: f32 = 1.0;
/** Loudest noise against the peak energy that still counts as inactive. */
const PSEUDO_SNR: f32 = 316.23;
const ACTIVITY_THRESHOLD: f32 = 0.1;

const CODER: usize = OPUS_SCRATCH_AT + 0x400;
const EXTRA_CODER: usize = CODER + 64;
/** Bytes of a frame that only warms up the encoder. */
const DISCARDED: usize = EXTRA_CODER + 64;
/** f32 of up to 64 ms. */
const INPUT: usize = OPUS_SCRATCH_AT + 0x1000;
const PREFILL_INPUT: usize = OPUS_SCRATCH_AT + 0x8000;

/** What the packet layer has decided for a frame. */
@unmanaged
export class FrameRequest {
  silent: i32;
  redundancy: i32;
  celtToSilk: i32;
  prefill: i32;
  equivalentRate: i32;
  /** The stream goes on with CELT alone after this frame. */
  toCelt: i32;
  analysis: SignalAnalysis;
  /** Answer: first byte of a packet of this frame. */
  toc: u32;
}

/** Mean square of interleaved samples. */
export function frameEnergy(pcm: usize, samples: i32): f32 {
  return innerProduct(pcm, pcm, samples) / <f32>samples;
}

/** Whether the frame is active, as far as the Opus layer can tell. */
function judgeActivity(state: OpusEncoderState, request: FrameRequest, pcm: usize, samples: i32): i32 {
  if (request.silent) return ACTIVITY_NONE;
  if (request.analysis.valid) {
    if (request.analysis.activityProbability >= ACTIVITY_THRESHOLD) return ACTIVITY_PRESENT;
    // Loud noise is active too.
    return i32(state.peakEnergy < PSEUDO_SNR * frameEnergy(pcm, samples));
  }
  if (state.mode != MODE_CELT) return ACTIVITY_UNKNOWN;
  const half: f32 = 0.5;
  return i32(state.peakEnergy < PSEUDO_SNR * (half * frameEnergy(pcm, samples)));
}

/** Bytes of the 5 ms frame at a transition; 0 where they would not be worth it. */
function redundancyBytes(limit: i32, rateBps: i32, frameRate: i32, channels: i32): i32 {
  const base = 40 * channels + 20;
  const rate = (3 * (rateBps + base * (200 - frameRate))) / 2;
  const available = limit * 8 - 2 * base;
  const cap = ((available * 240) / (240 + 48000 / frameRate) + base) / 8;
  const bytes = min<i32>(rate / 1600, cap);
  return bytes > 4 + 8 * channels ? min<i32>(257, bytes) : 0;
}

/** SILK's share of the bit rate of a hybrid frame. */
function hybridSilkShare(
  rateBps: i32,
  bandwidth: i32,
  is20ms: bool,
  vbr: bool,
  fec: bool,
  channels: i32,
): i32 {
  const rate = rateBps / channels;
  const column = 1 + i32(is20ms) + 2 * i32(fec);
  let row = 1;
  while (row < 7 && !(entry(row, 0) > rate)) row++;
  let share: i32;
  if (row == 7) {
    share = entry(6, column) + (rate - entry(6, 0)) / 2;
  } else {
    const x0 = entry(row - 1, 0);
    const x1 = entry(row, 0);
    share = (entry(row - 1, column) * (x1 - rate) + entry(row, column) * (rate - x0)) / (x1 - x0);
  }
  if (!vbr) share += 100;
  if (bandwidth == BANDWIDTH_SUPERWIDE) share += 300;
  share *= channels;
  if (channels == 2 && rate >= 12000) share -= 1000;
  return share;
}

function entry(row: i32, column: i32): i32 {
  return load<i32>(hybridSilkRate + (<usize>(row * 5 + column) << 2));
}

/** High-pass or removal of the mean, from `pcm` to `out`. */
function filterInput(state: OpusEncoderState, pcm: usize, out: usize, frames: i32): void {
  const channels = state.channels;
  const rate = state.sampleRate;
  let target = initialCutoffQ15();
  if (state.mode != MODE_CELT) target = channelEncoderOf(silkEncoderOf(state), 0).highPassSmooth1Q15;
  state.cutoffQ15 = followCutoff(state.cutoffQ15, target);
  const filters = filterMemory(state);
  if (state.application == APPLICATION_VOIP) {
    highPass(out, pcm, filters, frames, channels, rate, cutoffHz(state.cutoffQ15));
  } else {
    rejectDc(out, pcm, filters, frames, channels, rate);
  }
  dropInvalid(out, frames * channels, filters);
}

/** Change of SILK's rate by what the other channels mask; half of it would be possible. */
function maskedRate(state: OpusEncoderState, rateBps: i32): i32 {
  const mask = surroundMask(celtEncoderOf(state));
  let end = 17;
  let perBand: i32 = 16000;
  if (state.bandwidth == BANDWIDTH_NARROW) {
    end = 13;
    perBand = 8000;
  } else if (state.bandwidth == BANDWIDTH_MEDIUM) {
    end = 15;
    perBand = 12000;
  }
  let sum: f32 = 0.0;
  for (let channel = 0; channel < state.channels; channel++) {
    for (let band = 0; band < end; band++) {
      let value = load<f32>(mask + (<usize>(channel * BANDS + band) << 2));
      value = max<f32>(min<f32>(value, 0.5), -2.0);
      if (value > 0.0) value = <f32>0.5 * value;
      sum += value;
    }
  }
  const depth: f32 = (sum / <f32>end) * <f32>state.channels + <f32>0.2;
  const change = max<i32>(<i32>(<f32>perBand * depth), (-2 * rateBps) / 3);
  return state.bandwidth >= BANDWIDTH_SUPERWIDE ? (3 * change) / 5 : change;
}

/** Rates and limits of SILK for the frame; returns the gain of CELT's band. */
function controlSilk(
  state: OpusEncoderState,
  control: SilkEncoderControl,
  frames: i32,
  limit: i32,
  bitsTarget: i32,
  redundantBytes: i32,
): f32 {
  const rate = state.sampleRate;
  const frameRate = rate / frames;
  const is20ms = rate == 50 * frames;
  const hybrid = state.mode == MODE_HYBRID;
  const vbr = state.vbr != 0;
  const total = bitsToRate(bitsTarget, rate, frames);
  let highGain: f32 = 1.0;
  control.bitrateBps = total;
  if (hybrid) {
    const fec = control.lbrrCoded != 0;
    control.bitrateBps = hybridSilkShare(total, state.bandwidth, is20ms, vbr, fec, state.streamChannels);
    if (!state.hasMask) {
      // The fewer bits the high band gets, the softer it becomes.
      const exponent: f32 = <f32>-(total - control.bitrateBps) * <f32>(1.0 / 1024.0);
      highGain = ONE - exp2(exponent);
    }
  }
  if (state.hasMask && vbr && !state.lfe) control.bitrateBps += maskedRate(state, control.bitrateBps);
  control.payloadMs = (1000 * frames) / rate;
  control.apiChannels = state.channels;
  control.internalChannels = state.streamChannels;
  if (state.bandwidth == BANDWIDTH_NARROW) control.desiredInternalHz = 8000;
  else if (state.bandwidth == BANDWIDTH_MEDIUM) control.desiredInternalHz = 12000;
  else control.desiredInternalHz = 16000;
  control.minInternalHz = hybrid ? 16000 : 8000;
  control.maxInternalHz = 16000;
  if (!hybrid) {
    let most = bitsToRate(limit * 8, rate, frames);
    if (frameRate > 50) most = (most * 2) / 3;
    if (most < 8000) {
      control.maxInternalHz = 12000;
      control.desiredInternalHz = min<i32>(12000, control.desiredInternalHz);
    }
    if (most < 7000) {
      control.maxInternalHz = 8000;
      control.desiredInternalHz = min<i32>(8000, control.desiredInternalHz);
    }
  }
  control.useCbr = i32(!vbr);
  control.maxBits = (limit - 1) * 8;
  if (redundantBytes >= 2) {
    control.maxBits -= redundantBytes * 8 + 1;
    if (hybrid) control.maxBits -= 20;
  }
  if (!hybrid) return highGain;
  if (control.useCbr) {
    // CELT takes up what SILK leaves; SILK may take a quarter of it.
    const others = <i32>(<i16>max<i32>(0, control.maxBits - (control.bitrateBps * frames) / rate));
    control.maxBits = max<i32>(0, control.maxBits - (others * 3) / 4);
    control.useCbr = 0;
  } else {
    const most = hybridSilkShare(
      (control.maxBits * rate) / frames,
      state.bandwidth,
      is20ms,
      vbr,
      control.lbrrCoded != 0,
      state.streamChannels,
    );
    control.maxBits = rateToBits(most, rate, frames);
  }
  return highGain;
}

/** Runs SILK from the delay buffer after CELT, with a soft start. */
function prefillSilk(state: OpusEncoderState, control: SilkEncoderControl, kind: i32, activity: i32): void {
  const rate = state.sampleRate;
  const buffer = delayBuffer(state);
  const frames = bufferFrames(state);
  const offset = <usize>(state.channels * (frames - rate / 250 - rate / 400)) << 2;
  fadeGain(buffer + offset, 0.0, 1.0, OVERLAP_48, rate / 400, state.channels, rate);
  memory.fill(buffer, 0, offset);
  silkEncode(silkEncoderOf(state), control, buffer, frames, changetype<RangeEncoder>(0), kind, activity);
  // The packet itself must not switch a second time.
  control.opusCanSwitch = 0;
}

/** Keeps the last 10 ms of the filtered input. */
function keepInput(state: OpusEncoderState, frames: i32, delayed: i32): void {
  const channels = state.channels;
  const kept = bufferFrames(state) - (frames + delayed);
  const buffer = delayBuffer(state);
  const all = <usize>(channels * (frames + delayed)) << 2;
  if (kept > 0) {
    const keptBytes = <usize>(channels * kept) << 2;
    memory.copy(buffer, buffer + (<usize>(channels * frames) << 2), keptBytes);
    memory.copy(buffer + keptBytes, INPUT, all);
  } else {
    memory.copy(buffer, INPUT + (<usize>(-kept * channels) << 2), <usize>(bufferFrames(state) * channels) << 2);
  }
}

function endBandOf(bandwidth: i32): i32 {
  if (bandwidth == BANDWIDTH_NARROW) return 13;
  if (bandwidth <= BANDWIDTH_WIDE) return 17;
  return bandwidth == BANDWIDTH_SUPERWIDE ? 19 : 21;
}

/** 2: with prediction and pitch filter, 1: without the filter, 0: without either. */
function setPrediction(celt: CeltEncoder, level: i32): void {
  celt.disablePrefilter = i32(level <= 1);
  celt.forceIntra = i32(level == 0);
}

/** CELT ignores rates of 500 bit/s and less. */
function setCeltRate(celt: CeltEncoder, rateBps: i32): void {
  if (rateBps <= 500) return;
  celt.bitrateBps = min<i32>(rateBps, 750000 * celt.channels);
}

/** Encodes a frame of its own with all of `bytes`; returns its final range, or 0 and an error in `bytesOut`. */
function encodeExtra(celt: CeltEncoder, pcm: usize, frames: i32, out: usize, bytes: i32): i32 {
  const re = changetype<RangeEncoder>(EXTRA_CODER);
  rangeEncoderInit(re, out, bytes);
  return celtEncode(celt, re, pcm, frames, bytes);
}

/** Whether a packet without activity need not be sent: after 200 ms, for 400 ms at most. */
function mayOmit(state: OpusEncoderState, activity: i32, halfMs: i32): bool {
  if (activity) {
    state.inactiveHalfMs = 0;
    return false;
  }
  state.inactiveHalfMs += halfMs;
  const start = NB_SPEECH_FRAMES_BEFORE_DTX * 40;
  if (state.inactiveHalfMs <= start) return false;
  if (state.inactiveHalfMs <= start + MAX_CONSECUTIVE_DTX * 40) return true;
  state.inactiveHalfMs = start;
  return false;
}

/**
 * Encodes `frames` sample frames of interleaved f32 at `pcm`. The payload goes to `data`; the first byte of the packet is
 * in the request.
 * @param fullLimit most bytes of the packet, its first included
 * @returns bytes of the payload (0: need not be sent) or a negative code
 */
export function encodeFrame(
  state: OpusEncoderState,
  request: FrameRequest,
  pcm: usize,
  frames: i32,
  data: usize,
  fullLimit: i32,
): i32 {
  const limit = min<i32>(fullLimit, 1276);
  const rate = state.sampleRate;
  const channels = state.channels;
  const frameRate = rate / frames;
  const control = controlOf(state);
  const celt = celtEncoderOf(state);
  const hasCelt = state.application != APPLICATION_SILK;
  const re = changetype<RangeEncoder>(CODER);
  const delayed = compensationFrames(state);
  let bandwidth = state.bandwidth;
  state.finalRange = 0;
  let activity = judgeActivity(state, request, pcm, frames * channels);
  let redundancy = request.redundancy != 0;
  let celtToSilk = request.celtToSilk;
  let prefill = request.prefill;
  if (state.silkBandwidthSwitch) {
    // First frame at a new internal rate of SILK.
    redundancy = true;
    celtToSilk = 1;
    state.silkBandwidthSwitch = 0;
    prefill = 2;
  }
  if (state.mode == MODE_CELT) redundancy = false;
  let extraBytes = 0;
  if (redundancy) {
    extraBytes = redundancyBytes(limit, state.rateBps, frameRate, state.streamChannels);
    if (extraBytes == 0) redundancy = false;
  }
  if (!hasCelt) {
    redundancy = false;
    extraBytes = 0;
  }
  const bitsTarget = min<i32>(8 * (limit - extraBytes), rateToBits(state.rateBps, rate, frames)) - 8;
  rangeEncoderInit(re, data, fullLimit - 1);
  const delayedSamples = delayed * channels;
  const fresh = INPUT + (<usize>delayedSamples << 2);
  memory.copy(
    INPUT,
    delayBuffer(state) + (<usize>((bufferFrames(state) - delayed) * channels) << 2),
    <usize>delayedSamples << 2,
  );
  filterInput(state, pcm, fresh, frames);

  let highGain: f32 = 1.0;
  if (state.mode != MODE_CELT) {
    highGain = controlSilk(state, control, frames, limit, bitsTarget, redundancy ? extraBytes : 0);
    if (prefill && hasCelt) prefillSilk(state, control, prefill, activity);
    const coded = silkEncode(silkEncoderOf(state), control, fresh, frames, re, ENCODE, activity);
    if (coded < 0) return INTERNAL_ERROR;
    if (state.mode == MODE_SILK) {
      bandwidth =
        control.internalHz == 8000
          ? BANDWIDTH_NARROW
          : control.internalHz == 12000
            ? BANDWIDTH_MEDIUM
            : BANDWIDTH_WIDE;
    }
    control.opusCanSwitch = i32(control.switchReady != 0 && !state.nonfinalFrame);
    if (activity == ACTIVITY_UNKNOWN) activity = i32(control.signalType != 0);
    if (coded == 0) {
      state.finalRange = 0;
      state.inDtx = 1;
      request.toc = tocByte(state.mode, frameRate, bandwidth, state.streamChannels);
      return 0;
    }
    if (control.opusCanSwitch) {
      if (hasCelt) {
        extraBytes = redundancyBytes(limit, state.rateBps, frameRate, state.streamChannels);
        redundancy = extraBytes != 0;
      }
      celtToSilk = 0;
      state.silkBandwidthSwitch = 1;
    }
  }

  if (hasCelt) {
    celt.endBand = endBandOf(bandwidth);
    celt.streamChannels = state.streamChannels;
    celt.bitrateBps = BITRATE_MAX;
    celt.complexity = state.complexity;
    celt.lossPercent = state.packetLossPercent;
    celt.phaseInversionDisabled = state.phaseInversionDisabled;
  }
  if (state.mode != MODE_SILK) setPrediction(celt, control.reducedDependency ? 0 : 2);
  const changesMode = state.mode != state.previousMode && state.previousMode > 0;
  const warmsUp = state.mode != MODE_SILK && changesMode && state.application != APPLICATION_CELT;
  if (warmsUp) {
    const from = (bufferFrames(state) - delayed - rate / 400) * channels;
    memory.copy(
      PREFILL_INPUT,
      delayBuffer(state) + (<usize>from << 2),
      <usize>((channels * rate) / 400) << 2,
    );
  }
  keepInput(state, frames, delayed);
  // From here on the input is CELT's alone.
  if ((state.previousHighGain < ONE || highGain < ONE) && hasCelt) {
    fadeGain(INPUT, state.previousHighGain, highGain, OVERLAP_48, frames, channels, rate);
  }
  state.previousHighGain = highGain;
  narrowStereo(state, control, request.equivalentRate, frames, hasCelt);

  const hybrid = state.mode == MODE_HYBRID;
  let payload = 0;
  let celtBytes = 0;
  if (state.mode != MODE_CELT && encoderTellBits(re) + 17 + 20 * i32(hybrid) <= 8 * (limit - 1)) {
    // In SILK frames the redundancy shows by the length.
    if (hybrid) encodeBit(re, i32(redundancy), 12);
    if (redundancy) {
      encodeBit(re, celtToSilk, 1);
      const used = encoderTellBits(re) + (hybrid ? 8 + 3 : 0);
      extraBytes = min<i32>(limit - 1 - ((used + 7) >> 3), extraBytes);
      extraBytes = min<i32>(257, max<i32>(2, extraBytes));
      if (hybrid) encodeUint(re, extraBytes - 2, 256);
    }
  } else {
    redundancy = false;
  }
  if (!redundancy) {
    state.silkBandwidthSwitch = 0;
    extraBytes = 0;
  }
  if (state.mode == MODE_SILK) {
    celtBytes = (encoderTellBits(re) + 7) >> 3;
    payload = celtBytes;
    finishFrame(re);
  } else {
    celtBytes = limit - 1 - extraBytes;
    shrinkFrame(re, celtBytes);
  }
  if (redundancy || state.mode != MODE_SILK) {
    memory.copy(
      changetype<usize>(analysisOf(celt)),
      changetype<usize>(request.analysis),
      SIGNAL_ANALYSIS_BYTES,
    );
  }
  if (hybrid) {
    celt.silkSignalType = control.signalType;
    celt.silkOffset = control.offsetQ10;
  }
  let extraRange: u32 = 0;
  if (redundancy && celtToSilk) {
    celt.startBand = 0;
    celt.vbr = 0;
    celt.bitrateBps = BITRATE_MAX;
    if (encodeExtra(celt, INPUT, rate / 200, data + <usize>celtBytes, extraBytes) < 0) return INTERNAL_ERROR;
    extraRange = celt.finalRange;
    celtEncoderReset(celt);
  }
  celt.startBand = state.mode == MODE_CELT ? 0 : 17;
  if (state.mode != MODE_SILK) {
    celt.vbr = state.vbr;
    if (state.vbr) {
      celt.constrainedVbr = hybrid ? 0 : state.vbrConstraint;
      setCeltRate(celt, hybrid ? state.rateBps - control.bitrateBps : state.rateBps);
    }
    if (warmsUp) {
      celtEncoderReset(celt);
      encodeExtra(celt, PREFILL_INPUT, rate / 400, DISCARDED, 2);
      setPrediction(celt, 0);
    }
    // Otherwise SILK took too much already, and the frame becomes one to conceal.
    if (encoderTellBits(re) <= 8 * celtBytes) {
      payload = celtEncode(celt, re, INPUT, frames, celtBytes);
      if (payload < 0) return INTERNAL_ERROR;
      if (redundancy && celtToSilk && hybrid && celtBytes != payload) {
        memory.copy(data + <usize>payload, data + <usize>celtBytes, extraBytes);
        celtBytes = payload + extraBytes;
      }
    }
    state.finalRange = celt.finalRange;
  } else {
    state.finalRange = re.range;
  }
  if (redundancy && !celtToSilk) {
    celtEncoderReset(celt);
    celt.startBand = 0;
    setPrediction(celt, 0);
    celt.vbr = 0;
    celt.bitrateBps = BITRATE_MAX;
    if (hybrid) {
      celtBytes = payload;
      shrinkFrame(re, celtBytes);
    }
    const last = INPUT + (<usize>(channels * (frames - rate / 200)) << 2);
    encodeExtra(celt, last - (<usize>((channels * rate) / 400) << 2), rate / 400, DISCARDED, 2);
    if (encodeExtra(celt, last, rate / 200, data + <usize>celtBytes, extraBytes) < 0) return INTERNAL_ERROR;
    extraRange = celt.finalRange;
  }
  request.toc = tocByte(state.mode, frameRate, bandwidth, state.streamChannels);
  state.lastBandwidth = bandwidth;
  state.lastMode = state.mode;
  state.finalRange ^= extraRange;
  state.previousMode = request.toCelt ? MODE_CELT : state.mode;
  state.previousChannels = state.streamChannels;
  state.previousFrames = frames;
  state.first = 0;
  state.inDtx = 0;
  if (state.dtx && !control.useDtx) {
    if (mayOmit(state, activity, (2000 * frames) / rate)) {
      state.finalRange = 0;
      state.inDtx = 1;
      return 0;
    }
  } else {
    state.inactiveHalfMs = 0;
  }
  if (encoderTellBits(re) > (limit - 1) * 8) {
    if (limit < 2) return BUFFER_TOO_SMALL;
    store<u8>(data, 0);
    payload = 1;
    state.finalRange = 0;
  } else if (state.mode == MODE_SILK && !redundancy) {
    // The decoder reads zeros behind the end.
    while (payload > 2 && load<u8>(data + <usize>payload - 1) == 0) payload--;
  }
  return payload + extraBytes;
}

/** Narrows the stereo image at low rates. */
function narrowStereo(
  state: OpusEncoderState,
  control: SilkEncoderControl,
  equivalentRate: i32,
  frames: i32,
  hasCelt: bool,
): void {
  if (state.mode != MODE_HYBRID || state.streamChannels == 1) {
    if (equivalentRate > 32000) control.stereoWidthQ14 = 16384;
    else if (equivalentRate < 16000) control.stereoWidthQ14 = 0;
    else control.stereoWidthQ14 = 16384 - (2048 * (32000 - equivalentRate)) / (equivalentRate - 14000);
  }
  if (state.channels != 2 || state.hasMask) return;
  if (state.stereoWidthQ14 >= 1 << 14 && control.stereoWidthQ14 >= 1 << 14) return;
  if (hasCelt) {
    const unit: f32 = 1.0 / 16384.0;
    const before: f32 = <f32>state.stereoWidthQ14 * unit;
    const after: f32 = <f32>control.stereoWidthQ14 * unit;
    fadeWidth(INPUT, before, after, OVERLAP_48, frames, state.sampleRate);
  }
  state.stereoWidthQ14 = control.stereoWidthQ14;
}
