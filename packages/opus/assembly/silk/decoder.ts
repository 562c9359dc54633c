// SILK decoder: packets of one to three 20 ms frames (or one of 10 ms), mono or mid/side (RFC 6716 section 4.2).
import { decodeBit, decodeIcdf, RangeDecoder } from "../range-decoder";
import { lbrrFlags2Icdf, lbrrFlags3Icdf } from "../tables/silk-stereo-misc";
import { applyComfortNoise, resetComfortNoise } from "./comfort-noise";
import { concealFrame, glueFrames, rememberFrame, resetConcealment } from "./concealment";
import { decodeIndices } from "./indices";
import { decodeParameters } from "./parameters";
import { decodePulses } from "./pulses";
import { isQuiet, resample, resamplerInit } from "./resampler";
import { RESAMPLER_BYTES } from "./resampler-state";
import { FRAME_MID, FRAME_SIDE, HISTORY_REACH, PITCH_LAGS, PULSES, RESAMPLED, STEREO_PREDICTORS } from "./scratch";
import {
  CHANNEL_BYTES,
  channelOf,
  ChannelState,
  CODE_CONDITIONALLY,
  CODE_INDEPENDENTLY,
  CODE_INDEPENDENTLY_NO_LTP_SCALING,
  LBRR_FLAGS,
  LPC_STATE_Q14,
  OUT_BUFFER,
  resamplerOf,
  SIGNAL_INACTIVE,
  SIGNAL_VOICED,
  SILK_DECODER_BYTES,
  SilkDecoder,
  VAD_FLAGS,
} from "./state";
import { decodeMidOnly, decodeStereoPredictors, delayMid, midSideToLeftRight } from "./stereo-decoder";
import { synthesizeFrame } from "./synthesis";
import { traceSilk } from "../trace";

/** What `silkDecode` has to make of a frame. */
export const FRAME_PRESENT: i32 = 0;
export const FRAME_LOST: i32 = 1;
/** Decode the low-bit-rate redundancy that the packet carries for the frame before; conceal where it has none. */
export const FRAME_REDUNDANT: i32 = 2;

function initChannel(c: ChannelState): void {
  memory.fill(changetype<usize>(c), 0, CHANNEL_BYTES);
  c.firstFrameAfterReset = 1;
  c.prevGainQ16 = 65536;
  resetComfortNoise(c);
  resetConcealment(c);
}

/** Brings a block of SILK_DECODER_BYTES into the initial state. */
export function silkDecoderInit(d: SilkDecoder): void {
  memory.fill(changetype<usize>(d), 0, SILK_DECODER_BYTES);
  initChannel(channelOf(d, 0));
  initChannel(channelOf(d, 1));
}

/** Resets the signal history; the channel counts of the last packet stay, as in the reference. */
export function silkDecoderReset(d: SilkDecoder): void {
  initChannel(channelOf(d, 0));
  initChannel(channelOf(d, 1));
  d.predPrev0Q13 = 0;
  d.predPrev1Q13 = 0;
  d.mid0 = 0;
  d.mid1 = 0;
  d.side0 = 0;
  d.side1 = 0;
  d.prevDecodeOnlyMiddle = 0;
}

/** Forgets the signal of a channel: after a change of the internal rate, or when the side channel comes back. */
function forgetSignal(c: ChannelState): void {
  const base = changetype<usize>(c);
  c.firstFrameAfterReset = 1;
  c.lagPrev = 100;
  c.lastGainIndex = 10;
  c.prevSignalType = SIGNAL_INACTIVE;
  memory.fill(base + OUT_BUFFER, 0, 960);
  memory.fill(base + LPC_STATE_Q14, 0, 64);
}

function setRates(c: ChannelState, rateKhz: i32, apiRateHz: i32): void {
  c.subframeLength = 5 * rateKhz;
  const frameLength = c.subframes * c.subframeLength;
  if (c.rateKhz != rateKhz || c.apiRateHz != apiRateHz) {
    resamplerInit(resamplerOf(c), rateKhz * 1000, apiRateHz, false);
    c.apiRateHz = apiRateHz;
  }
  if (c.rateKhz != rateKhz) {
    c.ltpMemory = 20 * rateKhz;
    c.lpcOrder = rateKhz == 16 ? 16 : 10;
    forgetSignal(c);
  }
  c.rateKhz = rateKhz;
  c.frameLength = frameLength;
}

function flag(c: ChannelState, flags: usize, frame: i32): i32 {
  return load<i32>(changetype<usize>(c) + flags + (usize(frame) << 2));
}

/** Voice activity and redundancy flags of all frames (RFC 6716 sections 4.2.3 and 4.2.4). */
function decodeHeader(d: SilkDecoder, rd: RangeDecoder, channels: i32): void {
  for (let n: i32 = 0; n < channels; n++) {
    const c = channelOf(d, n);
    for (let i: i32 = 0; i < c.framesPerPacket; i++) {
      store<i32>(changetype<usize>(c) + VAD_FLAGS + (usize(i) << 2), decodeBit(rd, 1));
    }
    c.lbrrFlag = decodeBit(rd, 1);
  }
  for (let n: i32 = 0; n < channels; n++) {
    const c = channelOf(d, n);
    const flags = changetype<usize>(c) + LBRR_FLAGS;
    memory.fill(flags, 0, 12);
    if (c.lbrrFlag == 0) continue;
    if (c.framesPerPacket == 1) {
      store<i32>(flags, 1);
      continue;
    }
    const pattern = decodeIcdf(rd, c.framesPerPacket == 2 ? lbrrFlags2Icdf : lbrrFlags3Icdf, 8) + 1;
    for (let i: i32 = 0; i < c.framesPerPacket; i++) store<i32>(flags + (usize(i) << 2), (pattern >> i) & 1);
  }
}

/** Reads over the redundant frames; returns the mid-only flag that was read last, or 0. */
function skipRedundancy(d: SilkDecoder, rd: RangeDecoder, channels: i32): i32 {
  let midOnly: i32 = 0;
  for (let i: i32 = 0; i < channelOf(d, 0).framesPerPacket; i++) {
    for (let n: i32 = 0; n < channels; n++) {
      const c = channelOf(d, n);
      if (flag(c, LBRR_FLAGS, i) == 0) continue;
      if (channels == 2 && n == 0) {
        decodeStereoPredictors(rd);
        if (flag(channelOf(d, 1), LBRR_FLAGS, i) == 0) midOnly = decodeMidOnly(rd);
      }
      const conditional = i > 0 && flag(c, LBRR_FLAGS, i - 1) != 0;
      const coding = conditional ? CODE_CONDITIONALLY : CODE_INDEPENDENTLY;
      decodeIndices(rd, c, i, true, coding);
      decodePulses(rd, PULSES, c.signalType, c.quantOffsetType, c.frameLength);
      traceSilk(c, i, true, coding);
    }
  }
  return midOnly;
}

/** One frame of one channel; `output` is i16[frameLength]. */
function decodeFrame(rd: RangeDecoder, c: ChannelState, output: usize, loss: i32, coding: i32): void {
  const length = c.frameLength;
  const present = loss == FRAME_PRESENT || (loss == FRAME_REDUNDANT && flag(c, LBRR_FLAGS, c.framesDecoded) == 1);
  if (present) {
    decodeIndices(rd, c, c.framesDecoded, loss != FRAME_PRESENT, coding);
    decodePulses(rd, PULSES, c.signalType, c.quantOffsetType, length);
    traceSilk(c, c.framesDecoded, loss != FRAME_PRESENT, coding);
    decodeParameters(c, coding);
    synthesizeFrame(c, output);
  } else {
    concealFrame(c, output);
  }
  const history = changetype<usize>(c) + OUT_BUFFER;
  const kept = usize(c.ltpMemory - length) << 1;
  memory.copy(history, history + (usize(length) << 1), kept);
  memory.copy(history + kept, output, usize(length) << 1);
  if (present) {
    rememberFrame(c);
    c.lossCount = 0;
    c.prevSignalType = c.signalType;
    c.firstFrameAfterReset = 0;
  }
  applyComfortNoise(c, output, length);
  glueFrames(c, output, length);
  c.lagPrev = load<i32>(PITCH_LAGS + (usize(c.subframes - 1) << 2));
}

/** i16[length] to every `channels`-th f32 of the output. */
function writeFloat(output: usize, channels: i32, input: usize, length: i32): void {
  if (isQuiet()) return;
  const stride = usize(channels) << 2;
  let at = output;
  for (let i: i32 = 0; i < length; i++) {
    store<f32>(at, f32(i32(load<i16>(input + (usize(i) << 1)))) * f32(1.0 / 32768.0));
    at += stride;
  }
}

/**
 * Decodes one frame (10 or 20 ms) of a packet.
 * @param payloadMs 10, 20, 40 or 60: duration of the packet
 * @param internalHz 8000, 12000 or 16000
 * @param internalChannels channels of the packet
 * @param apiChannels channels of the output
 * @param loss FRAME_PRESENT, FRAME_LOST or FRAME_REDUNDANT
 * @param newPacket whether this is the first frame of its packet
 * @param output interleaved f32
 * @returns sample frames written
 */
export function silkDecode(
  d: SilkDecoder,
  rd: RangeDecoder,
  payloadMs: i32,
  internalHz: i32,
  internalChannels: i32,
  apiHz: i32,
  apiChannels: i32,
  loss: i32,
  newPacket: bool,
  output: usize,
): i32 {
  const first = channelOf(d, 0);
  const second = channelOf(d, 1);
  if (newPacket) {
    store<i32>(HISTORY_REACH, 0);
    for (let n: i32 = 0; n < internalChannels; n++) channelOf(d, n).framesDecoded = 0;
  }
  if (internalChannels > d.internalChannels) initChannel(second);
  const stereoToMono =
    internalChannels == 1 && d.internalChannels == 2 && internalHz == 1000 * first.rateKhz;
  if (first.framesDecoded == 0) {
    for (let n: i32 = 0; n < internalChannels; n++) {
      const c = channelOf(d, n);
      c.framesPerPacket = payloadMs <= 20 ? 1 : payloadMs / 20;
      c.subframes = payloadMs <= 10 ? 2 : 4;
      setRates(c, (internalHz >> 10) + 1, apiHz);
    }
  }
  if (apiChannels == 2 && internalChannels == 2 && (d.apiChannels == 1 || d.internalChannels == 1)) {
    d.predPrev0Q13 = 0;
    d.predPrev1Q13 = 0;
    d.side0 = 0;
    d.side1 = 0;
    memory.copy(changetype<usize>(resamplerOf(second)), changetype<usize>(resamplerOf(first)), RESAMPLER_BYTES);
  }
  d.apiChannels = apiChannels;
  d.internalChannels = internalChannels;

  let midOnly: i32 = 0;
  store<i64>(STEREO_PREDICTORS, 0);
  if (loss != FRAME_LOST && first.framesDecoded == 0) {
    decodeHeader(d, rd, internalChannels);
    if (loss == FRAME_PRESENT) midOnly = skipRedundancy(d, rd, internalChannels);
  }
  const frame = first.framesDecoded;
  if (internalChannels == 2) {
    const redundant = loss == FRAME_REDUNDANT && flag(first, LBRR_FLAGS, frame) == 1;
    if (loss == FRAME_PRESENT || redundant) {
      decodeStereoPredictors(rd);
      const sideFlag = loss == FRAME_PRESENT ? flag(second, VAD_FLAGS, frame) : flag(second, LBRR_FLAGS, frame);
      midOnly = sideFlag == 0 ? decodeMidOnly(rd) : 0;
    } else {
      store<i32>(STEREO_PREDICTORS, d.predPrev0Q13);
      store<i32>(STEREO_PREDICTORS, d.predPrev1Q13, 4);
    }
    if (midOnly == 0 && d.prevDecodeOnlyMiddle == 1) forgetSignal(second);
  }

  const hasSide =
    loss == FRAME_PRESENT
      ? midOnly == 0
      : d.prevDecodeOnlyMiddle == 0 ||
        (internalChannels == 2 && loss == FRAME_REDUNDANT && flag(second, LBRR_FLAGS, second.framesDecoded) == 1);
  const length = first.frameLength;
  for (let n: i32 = 0; n < internalChannels; n++) {
    const c = channelOf(d, n);
    const target = (n == 0 ? FRAME_MID : FRAME_SIDE) + 4;
    if (n == 0 || hasSide) {
      // The first channel's counter has moved on when the second one's turn comes.
      const index = first.framesDecoded - n;
      let coding = CODE_CONDITIONALLY;
      if (index <= 0) coding = CODE_INDEPENDENTLY;
      else if (loss == FRAME_REDUNDANT) {
        coding = flag(c, LBRR_FLAGS, index - 1) != 0 ? CODE_CONDITIONALLY : CODE_INDEPENDENTLY;
      } else if (n > 0 && d.prevDecodeOnlyMiddle != 0) coding = CODE_INDEPENDENTLY_NO_LTP_SCALING;
      decodeFrame(rd, c, target, loss, coding);
    } else {
      memory.fill(target, 0, usize(length) << 1);
    }
    c.framesDecoded++;
  }

  if (apiChannels == 2 && internalChannels == 2) {
    midSideToLeftRight(d, FRAME_MID, FRAME_SIDE, first.rateKhz, length);
  } else {
    delayMid(d, FRAME_MID, length);
  }

  const outputLength = (length * apiHz) / (first.rateKhz * 1000);
  resample(resamplerOf(first), RESAMPLED, FRAME_MID + 2, length);
  writeFloat(output, apiChannels, RESAMPLED, outputLength);
  if (apiChannels == 2) {
    if (internalChannels == 2) resample(resamplerOf(second), RESAMPLED, FRAME_SIDE + 2, length);
    // The second resampler runs on for one packet, so that the switch to mono is seamless.
    else if (stereoToMono) resample(resamplerOf(second), RESAMPLED, FRAME_MID + 2, length);
    writeFloat(output + 4, 2, RESAMPLED, outputLength);
  }

  d.prevPitchLag = 0;
  if (first.prevSignalType == SIGNAL_VOICED) {
    const to48k = first.rateKhz == 8 ? 6 : first.rateKhz == 12 ? 4 : 3;
    d.prevPitchLag = first.lagPrev * to48k;
  }
  if (loss == FRAME_LOST) {
    for (let n: i32 = 0; n < internalChannels; n++) channelOf(d, n).lastGainIndex = 10;
  } else {
    d.prevDecodeOnlyMiddle = midOnly;
  }
  return outputLength;
}
