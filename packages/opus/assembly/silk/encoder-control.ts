// Settings of a channel for a packet: internal rate with its transitions, frame geometry, complexity, redundancy, SNR.
import { LA_SHAPE_MS, silkComplexity, snrMb, snrNb, snrWb } from "../tables/encoder-tuning";
import { HISTORY_API, HISTORY_INT, RESAMPLER_TEMPORARY } from "./encoder-scratch";
import {
  CHANNEL_ENCODER_BYTES,
  ChannelEncoder,
  ENC_HISTORY,
  ENC_PREV_NLSF_Q15,
  ENC_QUANTIZER,
  ENC_RESAMPLER,
  QUANTIZER_BYTES,
  QuantizerState,
  SilkEncoderControl,
} from "./encoder-state";
import { linearToLog, smulwb } from "./fixed-point";
import { floatsToInt16, int16ToFloats } from "./float-signal";
import { resample, resamplerInit } from "./resampler";
import { ResamplerState } from "./resampler-state";
import { MAX_SUBFRAMES, SIGNAL_INACTIVE } from "./state";
import { TRANSITION_FRAMES } from "./transition-filter";
import { initVoiceActivity } from "./voice-activity";

export function initChannelEncoder(c: ChannelEncoder): void {
  memory.fill(changetype<usize>(c), 0, CHANNEL_ENCODER_BYTES);
  // 60 Hz on a logarithmic scale.
  c.highPassSmooth1Q15 = (linearToLog(60 << 16) - (16 << 7)) << 8;
  c.highPassSmooth2Q15 = c.highPassSmooth1Q15;
  c.firstFrameAfterReset = 1;
  initVoiceActivity(c);
}

/** Forgets the signal behind the quantizer, as after a change of the rate or a pause of the side channel. */
export function resetPrediction(c: ChannelEncoder): void {
  const base = changetype<usize>(c);
  c.lastGainIndex = 10;
  c.harmonicGainSmooth = 0;
  c.tiltSmooth = 0;
  memory.fill(base + ENC_QUANTIZER, 0, QUANTIZER_BYTES);
  memory.fill(base + ENC_PREV_NLSF_Q15, 0, 32);
  c.transitionState0 = 0;
  c.transitionState1 = 0;
  c.prevLag = 100;
  c.firstFrameAfterReset = 1;
  c.prevSignalType = SIGNAL_INACTIVE;
  const quantizer = changetype<QuantizerState>(base + ENC_QUANTIZER);
  quantizer.lagPrev = 100;
  quantizer.prevGainQ16 = 65536;
}

/** Internal rate in kHz for the next packet; may start, turn or end a transition. */
function chooseRate(c: ChannelEncoder, control: SilkEncoderControl): i32 {
  const original = c.rateKhz != 0 ? c.rateKhz : c.transitionSavedKhz;
  const originalHz = original * 1000;
  if (originalHz == 0) return min(c.desiredInternalHz, c.apiRateHz) / 1000;
  if (originalHz > c.apiRateHz || originalHz > c.maxInternalHz || originalHz < c.minInternalHz) {
    return max(min(c.apiRateHz, c.maxInternalHz), c.minInternalHz) / 1000;
  }
  if (c.transitionFrame >= TRANSITION_FRAMES) c.transitionMode = 0;
  if (c.allowBandwidthSwitch == 0 && control.opusCanSwitch == 0) return original;
  const reserve = (control.maxBits * 5) / (control.payloadMs + 5);
  if (originalHz > c.desiredInternalHz) {
    if (c.transitionMode == 0) {
      c.transitionFrame = TRANSITION_FRAMES;
      c.transitionState0 = 0;
      c.transitionState1 = 0;
    }
    if (control.opusCanSwitch != 0) {
      c.transitionMode = 0;
      return original == 16 ? 12 : 8;
    }
    if (c.transitionFrame <= 0) {
      control.switchReady = 1;
      control.maxBits -= reserve;
    } else {
      c.transitionMode = -2;
    }
  } else if (originalHz < c.desiredInternalHz) {
    if (control.opusCanSwitch != 0) {
      c.transitionFrame = 0;
      c.transitionState0 = 0;
      c.transitionState1 = 0;
      c.transitionMode = 1;
      return original == 8 ? 12 : 16;
    }
    if (c.transitionMode == 0) {
      control.switchReady = 1;
      control.maxBits -= reserve;
    } else {
      c.transitionMode = 1;
    }
  } else if (c.transitionMode < 0) {
    c.transitionMode = 1;
  }
  return original;
}

/** Sets the resampler up and carries the history over to the new rate. */
function setResampler(c: ChannelEncoder, rateKhz: i32): void {
  const base = changetype<usize>(c);
  if (c.rateKhz != rateKhz || c.prevApiRateHz != c.apiRateHz) {
    const resampler = changetype<ResamplerState>(base + ENC_RESAMPLER);
    if (c.rateKhz == 0) {
      resamplerInit(resampler, c.apiRateHz, rateKhz * 1000, true);
    } else {
      const milliseconds = ((c.subframes * 5) << 1) + LA_SHAPE_MS;
      const old = milliseconds * c.rateKhz;
      const outside = milliseconds * (c.apiRateHz / 1000);
      const temporary = changetype<ResamplerState>(RESAMPLER_TEMPORARY);
      floatsToInt16(HISTORY_INT, base + ENC_HISTORY, old);
      resamplerInit(temporary, c.rateKhz * 1000, c.apiRateHz, false);
      resample(temporary, HISTORY_API, HISTORY_INT, old);
      resamplerInit(resampler, c.apiRateHz, rateKhz * 1000, true);
      resample(resampler, HISTORY_INT, HISTORY_API, outside);
      int16ToFloats(base + ENC_HISTORY, HISTORY_INT, milliseconds * rateKhz);
    }
  }
  c.prevApiRateHz = c.apiRateHz;
}

function setGeometry(c: ChannelEncoder, rateKhz: i32, packetMs: i32): void {
  if (packetMs != c.packetMs) {
    c.framesPerPacket = packetMs <= 10 ? 1 : packetMs / 20;
    c.subframes = packetMs <= 10 ? 2 : MAX_SUBFRAMES;
    c.frameLength = (packetMs <= 10 ? 10 : 20) * rateKhz;
    c.pitchWindow = (packetMs <= 10 ? 14 : 24) * rateKhz;
    c.packetMs = packetMs;
    c.targetRateBps = 0;
  }
  if (c.rateKhz == rateKhz) return;
  resetPrediction(c);
  c.inputAt = 0;
  c.framesEncoded = 0;
  c.targetRateBps = 0;
  c.rateKhz = rateKhz;
  c.predictOrder = rateKhz == 16 ? 16 : 10;
  c.subframeLength = 5 * rateKhz;
  c.frameLength = c.subframeLength * c.subframes;
  c.ltpMemory = 20 * rateKhz;
  c.pitchLookAhead = 2 * rateKhz;
  c.pitchWindow = (c.subframes == MAX_SUBFRAMES ? 24 : 14) * rateKhz;
}

function setComplexity(c: ChannelEncoder, complexity: i32): void {
  let row: usize = silkComplexity;
  for (let next: usize = silkComplexity + 40; next < silkComplexity + 280; next += 40) {
    if (load<i32>(next) <= complexity) row = next;
  }
  c.pitchComplexity = load<i32>(row, 4);
  c.pitchThresholdQ16 = load<i32>(row, 8);
  c.pitchOrder = min(load<i32>(row, 12), c.predictOrder);
  c.shapingOrder = load<i32>(row, 16);
  c.shapeLookAhead = load<i32>(row, 20) * c.rateKhz;
  c.delayedStates = load<i32>(row, 24);
  c.interpolateNlsf = load<i32>(row, 28);
  c.nlsfSurvivors = load<i32>(row, 32);
  // WARPING_MULTIPLIER = 0.015 in Q16.
  c.warpingQ16 = load<i32>(row, 36) != 0 ? c.rateKhz * 983 : 0;
  c.shapeWindow = 5 * c.rateKhz + 2 * c.shapeLookAhead;
  c.complexity = complexity;
}

function setRedundancy(c: ChannelEncoder, control: SilkEncoderControl): void {
  const before = c.lbrrEnabled;
  c.lbrrEnabled = control.lbrrCoded;
  if (c.lbrrEnabled == 0) return;
  // 0.2 in Q16: finer redundancy the more loss is expected.
  c.lbrrGainIncrease = before == 0 ? 7 : max(7 - smulwb(c.packetLossPercent, 13107), 3);
}

/** Applies the requests for a packet; `forcedKhz` (or 0) makes the side channel follow the mid channel. */
export function controlChannel(
  c: ChannelEncoder,
  control: SilkEncoderControl,
  allowSwitch: i32,
  channel: i32,
  forcedKhz: i32,
): void {
  c.useDtx = control.useDtx;
  c.useCbr = control.useCbr;
  c.apiRateHz = control.apiRateHz;
  c.maxInternalHz = control.maxInternalHz;
  c.minInternalHz = control.minInternalHz;
  c.desiredInternalHz = control.desiredInternalHz;
  c.useInbandFec = control.useInbandFec;
  c.apiChannels = control.apiChannels;
  c.internalChannels = control.internalChannels;
  c.allowBandwidthSwitch = allowSwitch;
  c.channel = channel;
  if (c.controlledSinceLastPayload != 0 && c.prefill == 0) {
    if (c.apiRateHz != c.prevApiRateHz && c.rateKhz > 0) setResampler(c, c.rateKhz);
    return;
  }
  let rateKhz = chooseRate(c, control);
  if (forcedKhz != 0) rateKhz = forcedKhz;
  setResampler(c, rateKhz);
  setGeometry(c, rateKhz, control.payloadMs);
  setComplexity(c, control.complexity);
  c.packetLossPercent = control.packetLossPercent;
  setRedundancy(c, control);
  c.controlledSinceLastPayload = 1;
}

/** Signal-to-noise target for a rate. */
export function controlSnr(c: ChannelEncoder, rateBps: i32): void {
  c.targetRateBps = rateBps;
  let rate = rateBps;
  if (c.subframes == 2) rate -= 2000 + c.rateKhz / 16;
  const table = c.rateKhz == 8 ? snrNb : c.rateKhz == 12 ? snrMb : snrWb;
  const entries = c.rateKhz == 8 ? 107 : c.rateKhz == 12 ? 155 : 191;
  const index = min((rate + 200) / 400 - 10, entries - 1);
  c.snrDbQ7 = index <= 0 ? 0 : i32(load<u8>(table + usize(index))) * 21;
}
