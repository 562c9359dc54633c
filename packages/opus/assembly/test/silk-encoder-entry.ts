// A core with the SILK encoder and as much of the Opus layer as a stream without changes of mode, bandwidth and
// channels needs, compiled by the tests. The decisions come by argument.
import { OPUS_SCRATCH_AT, PACKET_AT, PCM_FLOAT_AT, slotsAddress } from "../layout";
import {
  cutoffHz,
  dropInvalid,
  followCutoff,
  highPass,
  initialCutoffQ15,
  isDigitalSilence,
  rejectDc,
} from "../opus/encoder-input";
import { isPauseSilent, pauseAfter } from "../opus/encoder-dtx";
import { bitsToRate, equivalentRate, MODE_SILK, rateToBits, redundancyBandwidth } from "../opus/encoder-rate";
import { encoderTellBits, finishFrame, RANGE_ENCODER_BYTES, RangeEncoder, rangeEncoderInit } from "../range-encoder";
import { ENCODE, silkEncode, silkEncoderInit } from "../silk/encoder";
import {
  channelEncoderOf,
  SILK_CONTROL_BYTES,
  SILK_ENCODER_BYTES,
  SilkEncoder,
  SilkEncoderControl,
} from "../silk/encoder-state";

@unmanaged
class Session {
  rateHz: i32;
  channels: i32;
  voip: i32;
  cutoffQ15: i32;
  memory0: f32;
  memory1: f32;
  memory2: f32;
  memory3: f32;
  pauseHalfMs: i32;
}

const CONTROL_OFFSET: usize = 64;
const ENCODER_OFFSET: usize = CONTROL_OFFSET + SILK_CONTROL_BYTES + 24;
const RANGE_AT: usize = OPUS_SCRATCH_AT;
const FILTERED_AT: usize = OPUS_SCRATCH_AT + 256;

function session(): Session {
  return changetype<Session>(slotsAddress());
}

function control(): SilkEncoderControl {
  return changetype<SilkEncoderControl>(slotsAddress() + CONTROL_OFFSET);
}

function encoder(): SilkEncoder {
  return changetype<SilkEncoder>(slotsAddress() + ENCODER_OFFSET);
}

export function packetAddress(): usize {
  return PACKET_AT;
}

export function inputAddress(): usize {
  return PCM_FLOAT_AT;
}

export function stateAddress(): usize {
  return slotsAddress();
}

export function stateBytes(): usize {
  return ENCODER_OFFSET + SILK_ENCODER_BYTES;
}

export function init(rateHz: i32, channels: i32, voip: bool): void {
  memory.fill(slotsAddress(), 0, stateBytes());
  silkEncoderInit(encoder(), channels);
  const s = session();
  s.rateHz = rateHz;
  s.channels = channels;
  s.voip = voip ? 1 : 0;
  s.cutoffQ15 = initialCutoffQ15();
}

function toc(frames: i32, internalHz: i32, channels: i32): i32 {
  const bandwidth = internalHz == 8000 ? 0 : internalHz == 12000 ? 1 : 2;
  const milliseconds = (frames * 1000) / session().rateHz;
  const size = milliseconds == 10 ? 0 : milliseconds / 20;
  return (bandwidth << 5) | (size << 3) | (channels == 2 ? 4 : 0);
}

/**
 * Encodes `frames` sample frames of f32 at the input address; the packet goes to the packet address. `analysis` is the
 * verdict of the music and speech analysis: -1 where it does not run.
 */
export function encode(
  frames: i32,
  bandwidthHz: i32,
  streamChannels: i32,
  bitrateBps: i32,
  vbr: bool,
  complexity: i32,
  lossPercent: i32,
  fec: bool,
  dtx: bool,
  maxBytes: i32,
  analysis: i32,
): i32 {
  const s = session();
  const c = control();
  const e = encoder();
  const re = changetype<RangeEncoder>(RANGE_AT);
  const samples = frames * s.channels;
  const silent = isDigitalSilence(PCM_FLOAT_AT, samples, 16);
  let limit = maxBytes;
  let rate = min(bitrateBps, bitsToRate(limit * 8, s.rateHz, frames));
  if (!vbr) {
    const bytes = min((rateToBits(rate, s.rateHz, frames) + 4) / 8, limit);
    rate = bitsToRate(bytes * 8, s.rateHz, frames);
    limit = max(1, bytes);
  }
  const equivalent = equivalentRate(
    rate,
    streamChannels,
    s.rateHz / frames,
    vbr,
    MODE_SILK,
    complexity,
    lossPercent,
  );
  const wanted = bandwidthHz == 8000 ? 0 : bandwidthHz == 12000 ? 1 : 2;
  c.lbrrCoded =
    fec && lossPercent > 0 && redundancyBandwidth(wanted, equivalent, lossPercent, c.lbrrCoded != 0) == wanted ? 1 : 0;

  const capacity = min(limit, 1276);
  const bits = min(8 * capacity, rateToBits(rate, s.rateHz, frames)) - 8;
  rangeEncoderInit(re, PACKET_AT + 1, limit - 1);
  s.cutoffQ15 = followCutoff(s.cutoffQ15, channelEncoderOf(e, 0).highPassSmooth1Q15);
  const state = changetype<usize>(s) + offsetof<Session>("memory0");
  if (s.voip != 0) {
    highPass(FILTERED_AT, PCM_FLOAT_AT, state, frames, s.channels, s.rateHz, cutoffHz(s.cutoffQ15));
  } else {
    rejectDc(FILTERED_AT, PCM_FLOAT_AT, state, frames, s.channels, s.rateHz);
  }
  dropInvalid(FILTERED_AT, samples, state);

  c.apiChannels = s.channels;
  c.internalChannels = streamChannels;
  c.apiRateHz = s.rateHz;
  c.bitrateBps = bitsToRate(bits, s.rateHz, frames);
  c.payloadMs = (1000 * frames) / s.rateHz;
  c.desiredInternalHz = bandwidthHz;
  c.minInternalHz = 8000;
  c.maxInternalHz = 16000;
  let effective = bitsToRate(capacity * 8, s.rateHz, frames);
  if (s.rateHz / frames > 50) effective = (effective * 2) / 3;
  if (effective < 8000) {
    c.maxInternalHz = 12000;
    c.desiredInternalHz = min(12000, c.desiredInternalHz);
  }
  if (effective < 7000) {
    c.maxInternalHz = 8000;
    c.desiredInternalHz = min(8000, c.desiredInternalHz);
  }
  c.packetLossPercent = lossPercent;
  c.complexity = complexity;
  c.useInbandFec = fec ? 1 : 0;
  c.useDtx = dtx && !silent && analysis < 0 ? 1 : 0;
  c.useCbr = vbr ? 0 : 1;
  c.maxBits = (capacity - 1) * 8;
  c.toMono = 0;
  c.opusCanSwitch = 0;
  c.reducedDependency = 0;

  const activity = silent ? 0 : analysis;
  const coded = silkEncode(e, c, FILTERED_AT, frames, re, ENCODE, activity);
  store<u8>(PACKET_AT, u8(toc(frames, c.internalHz, streamChannels)));
  if (coded == 0) return 1;
  if (dtx && c.useDtx == 0) {
    const active = activity < 0 ? c.signalType != 0 : activity != 0;
    const before = s.pauseHalfMs;
    s.pauseHalfMs = pauseAfter(before, (2000 * frames) / s.rateHz, active);
    if (isPauseSilent(before, s.pauseHalfMs)) return 1;
  } else {
    s.pauseHalfMs = 0;
  }
  let bytes = (encoderTellBits(re) + 7) >> 3;
  finishFrame(re);
  if (encoderTellBits(re) > (capacity - 1) * 8) {
    store<u8>(PACKET_AT, 0, 1);
    bytes = 1;
  } else {
    while (bytes > 2 && load<u8>(PACKET_AT + usize(bytes)) == 0) bytes--;
  }
  return bytes + 1;
}

export function switchReady(): i32 {
  return control().switchReady;
}

export function rangeEncoderBytes(): usize {
  return RANGE_ENCODER_BYTES;
}
