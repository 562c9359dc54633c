// Checks a SILK encoder block that comes from outside (a restored snapshot): no index in it may lead out of the block or of a
// table, no divisor may be zero, and floats are finite.
import {
  ChannelEncoder,
  channelEncoderOf,
  ENC_HISTORY,
  ENC_INDICES,
  ENC_LBRR_FLAGS,
  ENC_LBRR_INDICES,
  ENC_PREV_NLSF_Q15,
  ENC_QUANTIZER,
  ENC_RESAMPLER,
  ENC_VAD_BIAS,
  ENC_VAD_FLAGS,
  ENC_VAD_INVERSE_NOISE,
  ENC_VAD_NOISE,
  FrameIndices,
  INDICES_BYTES,
  INDICES_GAINS,
  INDICES_LTP,
  INDICES_NLSF,
  MID_ONLY_FLAGS,
  QuantizerState,
  SilkEncoder,
  STEREO_INDICES,
  VAD_BANDS,
} from "./encoder-state";
import { RESAMPLER_EXPECTED } from "./scratch";
import { resamplerInit } from "./resampler";
import { ResamplerState } from "./resampler-state";
import { TRANSITION_FRAMES } from "./transition-filter";
import { finite, within } from "../validate";

function indicesValid(at: usize): bool {
  const x = changetype<FrameIndices>(at);
  if (!within(x.signalType, 0, 2) || !within(x.quantOffsetType, 0, 1)) return false;
  if (!within(x.nlsfInterpolation, 0, 4) || !within(x.periodicity, 0, 2)) return false;
  if (!within(x.ltpScale, 0, 2) || !within(x.seed, 0, 3)) return false;
  if (!within(x.lag, 0, 319) || !within(x.contour, 0, 33)) return false;
  for (let i: usize = 0; i < 4; i++) {
    if (!within(load<i8>(at + INDICES_GAINS + i), 0, 63)) return false;
    if (!within(load<i8>(at + INDICES_LTP + i), 0, (8 << x.periodicity) - 1)) return false;
  }
  if (!within(load<i8>(at + INDICES_NLSF), 0, 31)) return false;
  for (let i: usize = 1; i < 17; i++) if (!within(load<i8>(at + INDICES_NLSF + i), -10, 10)) return false;
  return true;
}

/** The ratios must be those of the pair of rates; only the filter memories are free. */
function resamplerValid(c: ChannelEncoder): bool {
  const s = changetype<ResamplerState>(changetype<usize>(c) + ENC_RESAMPLER);
  const expected = changetype<ResamplerState>(RESAMPLER_EXPECTED);
  resamplerInit(expected, c.prevApiRateHz, c.rateKhz * 1000, true);
  return (
    s.method == expected.method &&
    s.inputKhz == expected.inputKhz &&
    s.outputKhz == expected.outputKhz &&
    s.inputDelay == expected.inputDelay &&
    s.batchSize == expected.batchSize &&
    s.inverseRatioQ16 == expected.inverseRatioQ16 &&
    s.firOrder == expected.firOrder &&
    s.firPhases == expected.firPhases
  );
}

/** What follows from the rate, the packet's duration and the complexity. */
function geometryValid(c: ChannelEncoder, apiRateHz: i32): bool {
  const rateKhz = c.rateKhz;
  if (rateKhz == 0) {
    // Not used yet: everything is set before the first frame.
    return (
      c.frameLength == 0 && c.subframes == 0 && c.inputAt == 0 && c.packetMs == 0 && c.framesPerPacket == 0
    );
  }
  if (rateKhz != 8 && rateKhz != 12 && rateKhz != 16) return false;
  if (c.apiRateHz != apiRateHz || c.prevApiRateHz != apiRateHz || rateKhz * 1000 > apiRateHz) return false;
  const short = c.packetMs == 10;
  if (!short && c.packetMs != 20 && c.packetMs != 40 && c.packetMs != 60) return false;
  if (c.framesPerPacket != (short ? 1 : c.packetMs / 20) || c.subframes != (short ? 2 : 4)) return false;
  if (c.subframeLength != 5 * rateKhz || c.frameLength != c.subframes * c.subframeLength) return false;
  if (c.ltpMemory != 20 * rateKhz || c.pitchLookAhead != 2 * rateKhz) return false;
  if (c.pitchWindow != (short ? 14 : 24) * rateKhz || c.predictOrder != (rateKhz == 16 ? 16 : 10)) return false;
  if (c.shapeLookAhead != 3 * rateKhz && c.shapeLookAhead != 5 * rateKhz) return false;
  if (c.shapeWindow != 5 * rateKhz + 2 * c.shapeLookAhead) return false;
  if (!within(c.shapingOrder, 12, 24) || (c.shapingOrder & 1) != 0) return false;
  if (!within(c.pitchOrder, 6, c.predictOrder) || !within(c.pitchComplexity, 0, 2)) return false;
  if (!within(c.delayedStates, 1, 4) || !within(c.nlsfSurvivors, 2, 16)) return false;
  if (!within(c.interpolateNlsf, 0, 1) || !within(c.complexity, 0, 10)) return false;
  if (!within(c.inputAt, 0, c.frameLength) || !within(c.framesEncoded, 0, c.framesPerPacket)) return false;
  return resamplerValid(c);
}

function channelValid(c: ChannelEncoder, apiRateHz: i32): bool {
  const base = changetype<usize>(c);
  if (!geometryValid(c, apiRateHz)) return false;
  if (!within(c.transitionFrame, 0, TRANSITION_FRAMES) || !within(c.transitionMode, -2, 1)) return false;
  if (!within(c.transitionSavedKhz, 0, 16) || (c.transitionSavedKhz & 3) != 0 || c.transitionSavedKhz == 4) {
    return false;
  }
  if (!within(c.vadCounter, 0, 1 << 20) || !within(c.speechActivityQ8, 0, 256)) return false;
  if (!within(c.inputTiltQ15, -40000, 40000) || !within(c.lbrrPrevLastGainIndex, 0, 63)) return false;
  if (!within(c.prevSignalType, 0, 2) || !within(c.prevSignalTypeCoded, 0, 2)) return false;
  if (!within(c.prevLag, 0, 18 * 16) || !within(c.prevLagIndex, 0, 319)) return false;
  if (!within(c.lastGainIndex, 0, 63) || !within(c.lbrrGainIncrease, 0, 7)) return false;
  if (!within(c.snrDbQ7, 0, 255 * 21) || !within(c.sumLogGainQ7, -(1 << 20), 1 << 20)) return false;
  if (!within(c.warpingQ16, 0, 16 * 983) || !within(c.pitchThresholdQ16, 0, 1 << 16)) return false;
  if (!within(c.packetLossPercent, 0, 100) || !within(c.noSpeechCounter, 0, 1 << 20)) return false;
  if (!within(c.targetRateBps, 0, 1 << 21) || !within(c.highPassSmooth1Q15, 0, 1 << 22)) return false;
  if (!within(c.highPassSmooth2Q15, 0, 1 << 22) || !within(c.prefill, 0, 2)) return false;
  if (!finite(c.harmonicGainSmooth, 100) || !finite(c.tiltSmooth, 100) || !finite(c.ltpCorrelation, 100)) {
    return false;
  }
  for (let band: usize = 0; band < <usize>VAD_BANDS << 2; band += 4) {
    if (!within(load<i32>(base + ENC_VAD_NOISE + band), 1, 0xffffff)) return false;
    if (!within(load<i32>(base + ENC_VAD_BIAS + band), 1, 0xffff)) return false;
    if (load<i32>(base + ENC_VAD_INVERSE_NOISE + band) < 0) return false;
  }
  for (let i: usize = 0; i < 12; i += 4) {
    if (!within(load<i32>(base + ENC_VAD_FLAGS + i), 0, 1)) return false;
    if (!within(load<i32>(base + ENC_LBRR_FLAGS + i), 0, 1)) return false;
  }
  for (let i: usize = 0; i < 32; i += 2) if (load<i16>(base + ENC_PREV_NLSF_Q15 + i) < 0) return false;
  if (!indicesValid(base + ENC_INDICES)) return false;
  for (let i: usize = 0; i < 3; i++) if (!indicesValid(base + ENC_LBRR_INDICES + i * INDICES_BYTES)) return false;
  for (let at = base + ENC_HISTORY; at < base + ENC_HISTORY + 2880; at += 4) {
    if (!finite(load<f32>(at), 1e6)) return false;
  }
  const q = changetype<QuantizerState>(base + ENC_QUANTIZER);
  if (!within(q.lagPrev, 0, 18 * 16) || !within(q.rewhitened, 0, 1) || q.prevGainQ16 < 0) return false;
  return c.rateKhz == 0 || q.prevGainQ16 > 0;
}

/**
 * Whether the block is one that encoding `channels` at `apiRateHz` can have left behind, as far as memory safety goes. The second
 * channel of a mono encoder is never used.
 */
export function silkEncoderValid(e: SilkEncoder, apiRateHz: i32, channels: i32): bool {
  if (!within(e.apiChannels, 0, channels) || !within(e.internalChannels, 0, channels)) return false;
  if (!within(e.prevInternalChannels, 0, channels) || !within(e.prevDecodeOnlyMiddle, 0, 1)) return false;
  if (!within(e.smoothWidthQ14, 0, 1 << 14) || !within(e.prevWidthQ14, 0, 1 << 14)) return false;
  if (!within(e.silentSideLength, 0, 1 << 20) || !within(e.bitsExceeded, 0, 10000)) return false;
  if (!within(e.predPrev0Q13, -(1 << 14), 1 << 14) || !within(e.predPrev1Q13, -(1 << 14), 1 << 14)) return false;
  const base = changetype<usize>(e);
  for (let i: usize = 0; i < 18; i++) if (!within(load<i8>(base + STEREO_INDICES + i), 0, 15)) return false;
  for (let i: usize = 0; i < 3; i++) if (!within(load<i8>(base + MID_ONLY_FLAGS + i), 0, 1)) return false;
  if (!channelValid(channelEncoderOf(e, 0), apiRateHz)) return false;
  return channels == 1 || channelValid(channelEncoderOf(e, 1), apiRateHz);
}
