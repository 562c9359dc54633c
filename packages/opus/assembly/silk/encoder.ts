// SILK encoder: packets of one to three 20 ms frames (or one of 10 ms), mono or mid/side, with redundancy for the
// packet before. The counterpart of decoder.ts.
import { encodeIcdf, encoderTellBits, patchInitialBits, RangeEncoder } from "../range-encoder";
import { quantizationOffsets } from "../tables/silk-excitation";
import { BITRESERVOIR_DECAY_TIME_MS } from "../tables/encoder-tuning";
import { lbrrFlags2Icdf, lbrrFlags3Icdf } from "../tables/silk-stereo-misc";
import { detectActivity, encodeFrame } from "./encode-frame";
import { encodeIndices } from "./encode-indices";
import { encodePulses } from "./encode-pulses";
import { FLAG_MODEL, INPUT_BLOCK, SAVED_TRANSITION, STEREO_RATES } from "./encoder-scratch";
import { controlChannel, controlSnr, initChannelEncoder, resetPrediction } from "./encoder-control";
import {
  ChannelEncoder,
  channelEncoderOf,
  ENC_INDICES,
  ENC_INPUT,
  ENC_LBRR_FLAGS,
  ENC_LBRR_INDICES,
  ENC_LBRR_PULSES,
  ENC_RESAMPLER,
  ENC_VAD_FLAGS,
  FrameIndices,
  INDICES_BYTES,
  LBRR_PULSES_STRIDE,
  SILK_ENCODER_BYTES,
  SilkEncoder,
  SilkEncoderControl,
} from "./encoder-state";
import { limitEither, shiftRound, smlawb, smulbb } from "./fixed-point";
import { resample } from "./resampler";
import { RESAMPLER_BYTES, ResamplerState } from "./resampler-state";
import { CODE_CONDITIONALLY, CODE_INDEPENDENTLY, CODE_INDEPENDENTLY_NO_LTP_SCALING } from "./state";
import {
  encodeMidOnly,
  encodeStereoPredictors,
  leftRightToMidSide,
  midOnlyFlagOf,
  stereoIndicesOf,
} from "./stereo-encoder";
import { followPitch } from "./transition-filter";

/** Kinds of a call: encode, or run 10 ms through the filters after a start, keeping or dropping the transition. */
export const ENCODE: i32 = 0;
export const PREFILL: i32 = 1;
export const PREFILL_KEEPING_TRANSITION: i32 = 2;

/** Activity that allows a switch of the bandwidth: 0.05 in Q8, rising over five seconds (0.95 / 5000 in Q24). */
const SWITCH_ACTIVITY_Q8: i32 = 13;
const SWITCH_SLOPE_Q24: i32 = 3188;

/** Brings a block of SILK_ENCODER_BYTES into the initial state. */
export function silkEncoderInit(e: SilkEncoder, channels: i32): void {
  memory.fill(changetype<usize>(e), 0, SILK_ENCODER_BYTES);
  for (let n: i32 = 0; n < channels; n++) initChannelEncoder(channelEncoderOf(e, n));
  e.apiChannels = 1;
  e.internalChannels = 1;
}

function resamplerOf(c: ChannelEncoder): ResamplerState {
  return changetype<ResamplerState>(changetype<usize>(c) + ENC_RESAMPLER);
}

function flagsOf(c: ChannelEncoder, flags: usize, frame: i32): usize {
  return changetype<usize>(c) + flags + (usize(frame) << 2);
}

/** The side channel starts: its state is new, its resampler goes on from the mid channel's. */
function startSide(e: SilkEncoder): void {
  const side = channelEncoderOf(e, 1);
  initChannelEncoder(side);
  e.predPrev0Q13 = 0;
  e.predPrev1Q13 = 0;
  e.side0 = 0;
  e.side1 = 0;
  e.amplitude0 = 0;
  e.amplitude1 = 1;
  e.amplitude2 = 0;
  e.amplitude3 = 1;
  e.prevWidthQ14 = 0;
  e.smoothWidthQ14 = 1 << 14;
  if (e.apiChannels == 2) copyResampler(e);
}

function copyResampler(e: SilkEncoder): void {
  const from = changetype<usize>(resamplerOf(channelEncoderOf(e, 0)));
  memory.copy(changetype<usize>(resamplerOf(channelEncoderOf(e, 1))), from, RESAMPLER_BYTES);
}

/** A sample of the Opus layer, f32 +-1, to i16: saturated, halves to even. */
function toInt16(x: f32): i32 {
  const scale: f32 = 32768.0;
  let value = x * scale;
  value = value > -32768.0 ? value : -32768.0;
  value = value < 32767.0 ? value : 32767.0;
  return i32(nearest<f32>(value));
}

function takeChannel(input: usize, stride: i32, frames: i32): void {
  for (let i: i32 = 0; i < frames; i++) {
    store<i16>(INPUT_BLOCK + (usize(i) << 1), i16(toInt16(load<f32>(input + (usize(i * stride) << 2)))));
  }
}

function takeMean(input: usize, frames: i32): void {
  for (let i: i32 = 0; i < frames; i++) {
    const at = input + (usize(i) << 3);
    const sum = toInt16(load<f32>(at) + load<f32>(at, 4));
    store<i16>(INPUT_BLOCK + (usize(i) << 1), i16(shiftRound(sum, 1)));
  }
}

function inputAt(c: ChannelEncoder): usize {
  return changetype<usize>(c) + ENC_INPUT + (usize(c.inputAt + 2) << 1);
}

/** Resamples `frames` of input into the buffers of the channels; `count` samples at the internal rate. */
function takeInput(e: SilkEncoder, control: SilkEncoderControl, input: usize, frames: i32, count: i32): void {
  const first = channelEncoderOf(e, 0);
  const second = channelEncoderOf(e, 1);
  const starts = first.framesEncoded == 0;
  if (control.apiChannels == 2 && control.internalChannels == 2) {
    if (e.prevInternalChannels == 1 && starts) copyResampler(e);
    takeChannel(input, 2, frames);
    resample(resamplerOf(first), inputAt(first), INPUT_BLOCK, frames);
    first.inputAt += count;
    takeChannel(input + 4, 2, frames);
    resample(resamplerOf(second), inputAt(second), INPUT_BLOCK, frames);
    second.inputAt += count;
    return;
  }
  if (control.apiChannels == 2) {
    takeMean(input, frames);
    resample(resamplerOf(first), inputAt(first), INPUT_BLOCK, frames);
    if (e.prevInternalChannels == 2 && starts) {
      // The first mono frame is the mean of what both resamplers had in store.
      resample(resamplerOf(second), inputAt(second), INPUT_BLOCK, frames);
      for (let i: i32 = 0; i < first.frameLength; i++) {
        const at = inputAt(first) + (usize(i) << 1);
        const other = i32(load<i16>(inputAt(second) + (usize(i) << 1)));
        store<i16>(at, i16((i32(load<i16>(at)) + other) >> 1));
      }
    }
  } else {
    takeChannel(input, 1, frames);
    resample(resamplerOf(first), inputAt(first), INPUT_BLOCK, frames);
  }
  first.inputAt += count;
}

/** Leaves room for the flags and writes the redundancy of the last packet; returns its bits. */
function encodeHeader(e: SilkEncoder, re: RangeEncoder, channels: i32): i32 {
  const frames = channelEncoderOf(e, 0).framesPerPacket;
  store<u8>(FLAG_MODEL, u8(256 - (256 >> ((frames + 1) * channels))));
  store<u8>(FLAG_MODEL, 0, 1);
  encodeIcdf(re, 0, FLAG_MODEL, 8);
  const before = encoderTellBits(re);
  for (let n: i32 = 0; n < channels; n++) {
    const c = channelEncoderOf(e, n);
    let pattern: i32 = 0;
    for (let i: i32 = 0; i < frames; i++) pattern |= load<i32>(flagsOf(c, ENC_LBRR_FLAGS, i)) << i;
    c.lbrrFlag = pattern > 0 ? 1 : 0;
    if (pattern != 0 && frames > 1) encodeIcdf(re, pattern - 1, frames == 2 ? lbrrFlags2Icdf : lbrrFlags3Icdf, 8);
  }
  for (let i: i32 = 0; i < frames; i++) {
    for (let n: i32 = 0; n < channels; n++) {
      const c = channelEncoderOf(e, n);
      const base = changetype<usize>(c);
      if (load<i32>(flagsOf(c, ENC_LBRR_FLAGS, i)) == 0) continue;
      if (channels == 2 && n == 0) {
        encodeStereoPredictors(re, stereoIndicesOf(e, i));
        if (load<i32>(flagsOf(channelEncoderOf(e, 1), ENC_LBRR_FLAGS, i)) == 0) {
          encodeMidOnly(re, i32(load<i8>(midOnlyFlagOf(e, i))));
        }
      }
      const conditional = i > 0 && load<i32>(flagsOf(c, ENC_LBRR_FLAGS, i - 1)) != 0;
      const indices = changetype<FrameIndices>(base + ENC_LBRR_INDICES + usize(i) * INDICES_BYTES);
      encodeIndices(re, c, indices, true, conditional ? CODE_CONDITIONALLY : CODE_INDEPENDENTLY);
      const pulses = base + ENC_LBRR_PULSES + usize(i) * LBRR_PULSES_STRIDE;
      encodePulses(re, pulses, indices.signalType, indices.quantOffsetType, c.frameLength);
    }
  }
  for (let n: i32 = 0; n < channels; n++) {
    memory.fill(flagsOf(channelEncoderOf(e, n), ENC_LBRR_FLAGS, 0), 0, 12);
  }
  return encoderTellBits(re) - before;
}

/** Rate of the frame in hand, from the budget of the packet and what earlier frames left over. */
function frameRate(
  e: SilkEncoder,
  control: SilkEncoderControl,
  re: RangeEncoder,
  lbrrBits: i32,
  prefill: bool,
): i32 {
  const first = channelEncoderOf(e, 0);
  let bits = (control.bitrateBps * control.payloadMs) / 1000;
  if (!prefill) {
    // Smoothed, so that the rate does not jump with every redundant frame.
    if (lbrrBits < 10) e.bitsUsedLbrr = 0;
    else if (e.bitsUsedLbrr < 10) e.bitsUsedLbrr = lbrrBits;
    else e.bitsUsedLbrr = (e.bitsUsedLbrr + lbrrBits) / 2;
    bits -= e.bitsUsedLbrr;
  }
  bits /= first.framesPerPacket;
  let rate = smulbb(bits, control.payloadMs == 10 ? 100 : 50);
  rate -= (e.bitsExceeded * 1000) / BITRESERVOIR_DECAY_TIME_MS;
  if (!prefill && first.framesEncoded > 0) {
    const balance = encoderTellBits(re) - e.bitsUsedLbrr - bits * first.framesEncoded;
    rate -= (balance * 1000) / BITRESERVOIR_DECAY_TIME_MS;
  }
  return limitEither(rate, control.bitrateBps, 5000);
}

/** Mid and side of a stereo frame with activity and side information. */
function prepareStereo(
  e: SilkEncoder,
  control: SilkEncoderControl,
  re: RangeEncoder,
  rate: i32,
  activity: i32,
  prefill: bool,
): void {
  const first = channelEncoderOf(e, 0);
  const second = channelEncoderOf(e, 1);
  const frame = first.framesEncoded;
  leftRightToMidSide(
    e,
    changetype<usize>(first) + ENC_INPUT,
    changetype<usize>(second) + ENC_INPUT,
    frame,
    rate,
    first.speechActivityQ8,
    control.toMono != 0,
    first.rateKhz,
    first.frameLength,
  );
  const midOnly = i32(load<i8>(midOnlyFlagOf(e, frame)));
  if (midOnly == 0) {
    if (e.prevDecodeOnlyMiddle == 1) resetPrediction(second);
    detectActivity(second, activity);
  } else {
    store<i32>(flagsOf(second, ENC_VAD_FLAGS, frame), 0);
  }
  if (prefill) return;
  encodeStereoPredictors(re, stereoIndicesOf(e, frame));
  if (load<i32>(flagsOf(second, ENC_VAD_FLAGS, frame)) == 0) encodeMidOnly(re, midOnly);
}

/** A mono frame begins two samples late, as the mid channel does. */
function prepareMono(e: SilkEncoder): void {
  const c = channelEncoderOf(e, 0);
  const input = changetype<usize>(c) + ENC_INPUT;
  store<i16>(input, e.mid0);
  store<i16>(input, e.mid1, 2);
  e.mid0 = load<i16>(input + (usize(c.frameLength) << 1));
  e.mid1 = load<i16>(input + (usize(c.frameLength) << 1), 2);
}

/** Writes the flags of the packet into the room left for them, and keeps the accounts across packets. */
function closePacket(e: SilkEncoder, control: SilkEncoderControl, re: RangeEncoder, bytes: i32, prefill: bool): i32 {
  const first = channelEncoderOf(e, 0);
  const channels = control.internalChannels;
  let flags: u32 = 0;
  for (let n: i32 = 0; n < channels; n++) {
    const c = channelEncoderOf(e, n);
    for (let i: i32 = 0; i < c.framesPerPacket; i++) {
      flags = (flags << 1) | u32(load<i32>(flagsOf(c, ENC_VAD_FLAGS, i)));
    }
    flags = (flags << 1) | u32(c.lbrrFlag);
  }
  if (!prefill) patchInitialBits(re, flags, (first.framesPerPacket + 1) * channels);
  const silent = first.inDtx != 0 && (channels == 1 || channelEncoderOf(e, 1).inDtx != 0);
  const sent = silent ? 0 : bytes;
  e.bitsExceeded += sent * 8;
  e.bitsExceeded -= (control.bitrateBps * control.payloadMs) / 1000;
  e.bitsExceeded = limitEither(e.bitsExceeded, 0, 10000);
  const threshold = smlawb(SWITCH_ACTIVITY_Q8, SWITCH_SLOPE_Q24, e.timeSinceSwitchAllowedMs);
  if (first.speechActivityQ8 < threshold) {
    e.allowBandwidthSwitch = 1;
    e.timeSinceSwitchAllowedMs = 0;
  } else {
    e.allowBandwidthSwitch = 0;
    e.timeSinceSwitchAllowedMs += control.payloadMs;
  }
  return sent;
}

/** Encodes all channels of the frame in the buffers; returns the bytes of the packet so far. */
function encodeChannels(
  e: SilkEncoder,
  control: SilkEncoderControl,
  re: RangeEncoder,
  rate: i32,
  block: i32,
  blocks: i32,
): i32 {
  const first = channelEncoderOf(e, 0);
  const channels = control.internalChannels;
  let bytes: i32 = 0;
  for (let n: i32 = 0; n < channels; n++) {
    const c = channelEncoderOf(e, n);
    let maxBits = control.maxBits;
    if (blocks == 2 && block == 0) maxBits = (maxBits * 3) / 5;
    else if (blocks == 3 && block == 0) maxBits = (maxBits * 2) / 5;
    else if (blocks == 3 && block == 1) maxBits = (maxBits * 3) / 4;
    let useCbr = control.useCbr != 0 && block == blocks - 1;
    let channelRate = rate;
    if (channels == 2) {
      channelRate = load<i32>(STEREO_RATES + (usize(n) << 2));
      if (n == 0 && load<i32>(STEREO_RATES, 4) > 0) {
        useCbr = false;
        maxBits -= control.maxBits / (blocks * 2);
      }
    }
    if (channelRate > 0) {
      controlSnr(c, channelRate);
      let coding = CODE_CONDITIONALLY;
      if (first.framesEncoded - n <= 0) coding = CODE_INDEPENDENTLY;
      else if (n > 0 && e.prevDecodeOnlyMiddle != 0) coding = CODE_INDEPENDENTLY_NO_LTP_SCALING;
      bytes = encodeFrame(re, c, coding, maxBits, useCbr);
    }
    c.controlledSinceLastPayload = 0;
    c.inputAt = 0;
    c.framesEncoded++;
  }
  e.prevDecodeOnlyMiddle = i32(load<i8>(midOnlyFlagOf(e, first.framesEncoded - 1)));
  return bytes;
}

function restart(e: SilkEncoder, control: SilkEncoderControl, kind: i32): void {
  const keeps = kind == PREFILL_KEEPING_TRANSITION;
  const first = channelEncoderOf(e, 0);
  const transition = changetype<usize>(first) + offsetof<ChannelEncoder>("transitionState0");
  memory.copy(SAVED_TRANSITION, transition, 20);
  store<i32>(SAVED_TRANSITION, first.rateKhz, 16);
  for (let n: i32 = 0; n < control.internalChannels; n++) {
    const c = channelEncoderOf(e, n);
    initChannelEncoder(c);
    if (keeps) memory.copy(changetype<usize>(c) + offsetof<ChannelEncoder>("transitionState0"), SAVED_TRANSITION, 20);
    c.controlledSinceLastPayload = 0;
    c.prefill = 1;
  }
}

/**
 * Encodes one packet.
 * @param input interleaved f32, `frames` sample frames: the whole packet, or 10 ms for a prefill
 * @param activity ACTIVITY_UNKNOWN, or what the Opus layer knows about the presence of sound
 * @param kind ENCODE or one of the prefills; a prefill writes nothing and `re` may be null
 * @returns bytes coded, 0 for a packet that need not be sent
 */
export function silkEncode(
  e: SilkEncoder,
  control: SilkEncoderControl,
  input: usize,
  frames: i32,
  re: RangeEncoder,
  kind: i32,
  activity: i32,
): i32 {
  const prefill = kind != ENCODE;
  const first = channelEncoderOf(e, 0);
  for (let n: i32 = 0; n < control.apiChannels; n++) {
    const c = channelEncoderOf(e, n);
    if (control.reducedDependency != 0) c.firstFrameAfterReset = 1;
    c.framesEncoded = 0;
  }
  control.switchReady = 0;
  if (control.internalChannels > e.internalChannels) startSide(e);
  const changed = control.payloadMs != first.packetMs || e.internalChannels != control.internalChannels;
  e.apiChannels = control.apiChannels;
  e.internalChannels = control.internalChannels;
  const tens = (100 * frames) / control.apiRateHz;
  const blocks = tens > 1 ? tens >> 1 : 1;
  const payloadMs = control.payloadMs;
  const complexity = control.complexity;
  if (prefill) {
    restart(e, control, kind);
    control.payloadMs = 10;
    control.complexity = 0;
  }
  for (let n: i32 = 0; n < control.internalChannels; n++) {
    const c = channelEncoderOf(e, n);
    controlChannel(c, control, e.allowBandwidthSwitch, n, n == 1 ? first.rateKhz : 0);
    if (c.firstFrameAfterReset != 0 || changed) {
      for (let i: i32 = 0; i < first.framesPerPacket; i++) store<i32>(flagsOf(c, ENC_LBRR_FLAGS, i), 0);
    }
    c.inDtx = c.useDtx;
  }

  const mostCount = 10 * tens * first.rateKhz;
  let source = input;
  let left = frames;
  let bytes: i32 = 0;
  for (let block: i32 = 0; ; block++) {
    const count = min(first.frameLength - first.inputAt, mostCount);
    const taken = (count * first.apiRateHz) / (first.rateKhz * 1000);
    takeInput(e, control, source, taken, count);
    source += usize(taken * control.apiChannels) << 2;
    left -= taken;
    e.allowBandwidthSwitch = 0;
    if (first.inputAt < first.frameLength) break;

    let lbrrBits: i32 = 0;
    if (first.framesEncoded == 0 && !prefill) lbrrBits = encodeHeader(e, re, control.internalChannels);
    followPitch(first);
    const rate = frameRate(e, control, re, lbrrBits, prefill);
    if (control.internalChannels == 2) prepareStereo(e, control, re, rate, activity, prefill);
    else prepareMono(e);
    detectActivity(first, activity);
    bytes = encodeChannels(e, control, re, rate, block, blocks);
    if (bytes > 0 && first.framesEncoded == first.framesPerPacket) {
      bytes = closePacket(e, control, re, bytes, prefill);
    }
    if (left == 0) break;
  }

  e.prevInternalChannels = control.internalChannels;
  control.allowBandwidthSwitch = e.allowBandwidthSwitch;
  control.inWidebandWithoutTransition = first.rateKhz == 16 && first.transitionMode == 0 ? 1 : 0;
  control.internalHz = first.rateKhz * 1000;
  control.stereoWidthQ14 = control.toMono != 0 ? 0 : e.smoothWidthQ14;
  if (prefill) {
    control.payloadMs = payloadMs;
    control.complexity = complexity;
    for (let n: i32 = 0; n < control.internalChannels; n++) {
      const c = channelEncoderOf(e, n);
      c.controlledSinceLastPayload = 0;
      c.prefill = 0;
    }
  }
  const indices = changetype<FrameIndices>(changetype<usize>(first) + ENC_INDICES);
  control.signalType = indices.signalType;
  const offsetAt = usize(((indices.signalType >> 1) << 1) + indices.quantOffsetType) << 1;
  control.offsetQ10 = i32(load<i16>(quantizationOffsets + offsetAt));
  return bytes;
}
