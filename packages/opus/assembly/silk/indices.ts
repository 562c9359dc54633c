// Side information of one frame (RFC 6716 sections 4.2.7.3 to 4.2.7.7).
import { decodeIcdf, RangeDecoder } from "../range-decoder";
import { frameTypeActiveIcdf, frameTypeInactiveIcdf } from "../tables/silk-excitation";
import {
  contour10msIcdf,
  contour10msNbIcdf,
  contourIcdf,
  contourNbIcdf,
  gainDeltaIcdf,
  gainIndexIcdf,
  ltpIcdf0,
  ltpIcdf1,
  ltpIcdf2,
  ltpPeriodicityIcdf,
  ltpScaleIcdf,
  pitchDeltaIcdf,
  pitchLagIcdf,
} from "../tables/silk-gains-pitch-ltp";
import {
  extensionIcdf,
  interpolationIcdf,
  nbMbStage1Icdf,
  nbMbStage2Icdf,
  wbStage1Icdf,
  wbStage2Icdf,
} from "../tables/silk-nlsf";
import { uniform4Icdf, uniform6Icdf, uniform8Icdf } from "../tables/silk-stereo-misc";
import { unpackStage2 } from "./nlsf";
import { STAGE2_MODELS } from "./scratch";
import {
  ChannelState,
  CODE_CONDITIONALLY,
  CODE_INDEPENDENTLY,
  GAIN_INDICES,
  LTP_INDICES,
  MAX_SUBFRAMES,
  NLSF_INDICES,
  SIGNAL_VOICED,
  VAD_FLAGS,
} from "./state";

/** Low part of an absolute lag. */
export function lagLowIcdf(rateKhz: i32): usize {
  return rateKhz == 16 ? uniform8Icdf : rateKhz == 12 ? uniform6Icdf : uniform4Icdf;
}

export function contourModel(rateKhz: i32, subframes: i32): usize {
  if (rateKhz == 8) return subframes == MAX_SUBFRAMES ? contourNbIcdf : contour10msNbIcdf;
  return subframes == MAX_SUBFRAMES ? contourIcdf : contour10msIcdf;
}

export function ltpFilterModel(periodicity: i32): usize {
  return periodicity == 0 ? ltpIcdf0 : periodicity == 1 ? ltpIcdf1 : ltpIcdf2;
}

/** Reads the indices of frame `frame` of the packet into the channel. */
export function decodeIndices(rd: RangeDecoder, c: ChannelState, frame: i32, lbrr: bool, coding: i32): void {
  const base = changetype<usize>(c);
  const active = lbrr || load<i32>(base + VAD_FLAGS + (usize(frame) << 2)) != 0;
  const type = active ? decodeIcdf(rd, frameTypeActiveIcdf, 8) + 2 : decodeIcdf(rd, frameTypeInactiveIcdf, 8);
  c.signalType = type >> 1;
  c.quantOffsetType = type & 1;

  let gain: i32;
  if (coding == CODE_CONDITIONALLY) {
    gain = decodeIcdf(rd, gainDeltaIcdf, 8);
  } else {
    gain = decodeIcdf(rd, gainIndexIcdf + (usize(c.signalType) << 3), 8) << 3;
    gain += decodeIcdf(rd, uniform8Icdf, 8);
  }
  store<i8>(base + GAIN_INDICES, i8(gain));
  for (let k: i32 = 1; k < c.subframes; k++) {
    store<i8>(base + GAIN_INDICES + usize(k), i8(decodeIcdf(rd, gainDeltaIcdf, 8)));
  }

  const wide = c.lpcOrder == 16;
  const stage1Model = (wide ? wbStage1Icdf : nbMbStage1Icdf) + (usize(c.signalType >> 1) << 5);
  const stage1 = decodeIcdf(rd, stage1Model, 8);
  store<i8>(base + NLSF_INDICES, i8(stage1));
  unpackStage2(c.lpcOrder, stage1);
  const stage2 = wide ? wbStage2Icdf : nbMbStage2Icdf;
  for (let i: i32 = 0; i < c.lpcOrder; i++) {
    let residual = decodeIcdf(rd, stage2 + usize(load<i16>(STAGE2_MODELS + (usize(i) << 1))), 8);
    if (residual == 0) residual -= decodeIcdf(rd, extensionIcdf, 8);
    else if (residual == 8) residual += decodeIcdf(rd, extensionIcdf, 8);
    store<i8>(base + NLSF_INDICES + usize(i), i8(residual - 4), 1);
  }
  c.nlsfInterpolation = c.subframes == MAX_SUBFRAMES ? decodeIcdf(rd, interpolationIcdf, 8) : 4;

  if (c.signalType == SIGNAL_VOICED) {
    let absolute = true;
    if (coding == CODE_CONDITIONALLY && c.prevSignalTypeCoded == SIGNAL_VOICED) {
      const delta = decodeIcdf(rd, pitchDeltaIcdf, 8);
      if (delta > 0) {
        c.lagIndex = i32(i16(c.prevLagIndex + delta - 9));
        absolute = false;
      }
    }
    if (absolute) {
      const high = decodeIcdf(rd, pitchLagIcdf, 8) * (c.rateKhz >> 1);
      c.lagIndex = high + decodeIcdf(rd, lagLowIcdf(c.rateKhz), 8);
    }
    c.prevLagIndex = c.lagIndex;
    c.contourIndex = decodeIcdf(rd, contourModel(c.rateKhz, c.subframes), 8);
    c.periodicityIndex = decodeIcdf(rd, ltpPeriodicityIcdf, 8);
    const filters = ltpFilterModel(c.periodicityIndex);
    for (let k: i32 = 0; k < c.subframes; k++) {
      store<i8>(base + LTP_INDICES + usize(k), i8(decodeIcdf(rd, filters, 8)));
    }
    c.ltpScaleIndex = coding == CODE_INDEPENDENTLY ? decodeIcdf(rd, ltpScaleIcdf, 8) : 0;
  }
  c.prevSignalTypeCoded = c.signalType;
  c.seed = decodeIcdf(rd, uniform4Icdf, 8);
}
