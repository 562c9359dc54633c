// Checks a SILK decoder block that comes from outside (a restored snapshot): afterwards no decode can read or write
// outside the block, divide by zero or loop without end, whatever the bytes were.
import {
  channelOf,
  ChannelState,
  CNG_NLSF_Q15,
  LBRR_FLAGS,
  PLC_GAINS_Q16,
  PREV_NLSF_Q15,
  resamplerOf,
  SilkDecoder,
  VAD_FLAGS,
} from "./state";
import { resamplerInit } from "./resampler";
import { ResamplerState } from "./resampler-state";
import { RESAMPLER_EXPECTED } from "./scratch";

function within(value: i32, low: i32, high: i32): bool {
  return value >= low && value <= high;
}

function isInternalRate(rateKhz: i32): bool {
  return rateKhz == 8 || rateKhz == 12 || rateKhz == 16;
}

function isApiRate(rateHz: i32): bool {
  return rateHz == 8000 || rateHz == 12000 || rateHz == 16000 || rateHz == 24000 || rateHz == 48000;
}

function flagsValid(at: usize): bool {
  for (let i: usize = 0; i < 12; i += 4) if (!within(load<i32>(at + i), 0, 1)) return false;
  return true;
}

function frequenciesValid(at: usize): bool {
  for (let i: usize = 0; i < 32; i += 2) if (load<i16>(at + i) < 0) return false;
  return true;
}

/** The ratios must be those of the pair of rates; only the filter memories are free. */
function resamplerValid(c: ChannelState): bool {
  const s = resamplerOf(c);
  const expected = changetype<ResamplerState>(RESAMPLER_EXPECTED);
  if (c.rateKhz == 0) return s.method == 0 && s.inputKhz == 0 && s.inputDelay == 0 && s.outputKhz == 0;
  resamplerInit(expected, c.rateKhz * 1000, c.apiRateHz, false);
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

function channelValid(c: ChannelState): bool {
  const base = changetype<usize>(c);
  if (c.rateKhz == 0) {
    // Not used yet: everything that depends on the rate is set before the first frame.
    if (c.subframes != 0 || c.frameLength != 0 || c.subframeLength != 0) return false;
    if (c.ltpMemory != 0 || c.lpcOrder != 0 || c.apiRateHz != 0) return false;
  } else {
    if (!isInternalRate(c.rateKhz) || !isApiRate(c.apiRateHz)) return false;
    if (c.subframes != 2 && c.subframes != 4) return false;
    if (c.subframeLength != 5 * c.rateKhz || c.frameLength != c.subframes * c.subframeLength) return false;
    if (c.ltpMemory != 20 * c.rateKhz || c.lpcOrder != (c.rateKhz == 16 ? 16 : 10)) return false;
  }
  if (!resamplerValid(c)) return false;
  if (!within(c.framesPerPacket, 0, 3) || !within(c.framesDecoded, 0, 3)) return false;
  if (!within(c.lastGainIndex, 0, 63) || c.prevGainQ16 == 0) return false;
  if (!within(c.firstFrameAfterReset, 0, 1) || !within(c.lbrrFlag, 0, 1)) return false;
  if (!within(c.prevSignalType, 0, 2) || !within(c.prevSignalTypeCoded, 0, 2)) return false;
  if (!within(c.prevLagIndex, -512, 512) || c.lossCount < 0) return false;
  // A lag that concealment may use reaches at most 18 ms back; 100 is the value after a reset.
  if (!within(c.lagPrev, 0, max(18 * c.rateKhz, 100))) return false;
  if (!within(c.signalType, 0, 2) || !within(c.quantOffsetType, 0, 1)) return false;
  if (!flagsValid(base + VAD_FLAGS) || !flagsValid(base + LBRR_FLAGS)) return false;
  if (!frequenciesValid(base + PREV_NLSF_Q15) || !frequenciesValid(base + CNG_NLSF_Q15)) return false;
  if (c.cngRateKhz != 0 && !isInternalRate(c.cngRateKhz)) return false;
  if (c.plcRateKhz != 0 && !isInternalRate(c.plcRateKhz)) return false;
  if (!within(c.plcPitchQ8, 0, (18 * 16) << 8)) return false;
  if (c.plcRateKhz == c.rateKhz && c.plcPitchQ8 > (18 * c.rateKhz) << 8) return false;
  if (!within(c.plcSubframes, 0, 4) || !within(c.plcSubframeLength, 0, 80)) return false;
  if (!within(c.plcLastFrameLost, 0, 1) || !within(c.plcNoiseScaleQ14, -32768, 32767)) return false;
  if (!within(c.plcEnergyShift, 0, 31) || c.plcEnergy < 0) return false;
  return load<i32>(base + PLC_GAINS_Q16) > 0 && load<i32>(base + PLC_GAINS_Q16, 4) > 0;
}

/** Whether the block is one that decoding can have left behind, as far as memory safety goes. */
export function silkDecoderValid(d: SilkDecoder): bool {
  if (!within(d.apiChannels, 0, 2) || !within(d.internalChannels, 0, 2)) return false;
  if (!within(d.prevDecodeOnlyMiddle, 0, 1)) return false;
  return channelValid(channelOf(d, 0)) && channelValid(channelOf(d, 1));
}
