// Writes the side information of one frame: the counterpart of indices.ts.
import { encodeIcdf, RangeEncoder } from "../range-encoder";
import { frameTypeActiveIcdf, frameTypeInactiveIcdf } from "../tables/silk-excitation";
import {
  gainDeltaIcdf,
  gainIndexIcdf,
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
import { uniform4Icdf, uniform8Icdf } from "../tables/silk-stereo-misc";
import { ChannelEncoder, FrameIndices, INDICES_GAINS, INDICES_LTP, INDICES_NLSF } from "./encoder-state";
import { contourModel, lagLowIcdf, ltpFilterModel } from "./indices";
import { unpackStage2 } from "./nlsf";
import { STAGE2_MODELS } from "./scratch";
import { CODE_CONDITIONALLY, CODE_INDEPENDENTLY, MAX_SUBFRAMES, SIGNAL_VOICED } from "./state";

/** Largest amplitude of a stage-2 residual without extension. */
const MODEL_LEVEL: i32 = 4;

export function encodeIndices(
  re: RangeEncoder,
  c: ChannelEncoder,
  indices: FrameIndices,
  lbrr: bool,
  coding: i32,
): void {
  const base = changetype<usize>(indices);
  const type = 2 * indices.signalType + indices.quantOffsetType;
  if (lbrr || type >= 2) encodeIcdf(re, type - 2, frameTypeActiveIcdf, 8);
  else encodeIcdf(re, type, frameTypeInactiveIcdf, 8);

  const gain = i32(load<i8>(base + INDICES_GAINS));
  if (coding == CODE_CONDITIONALLY) {
    encodeIcdf(re, gain, gainDeltaIcdf, 8);
  } else {
    encodeIcdf(re, gain >> 3, gainIndexIcdf + (usize(indices.signalType) << 3), 8);
    encodeIcdf(re, gain & 7, uniform8Icdf, 8);
  }
  for (let k: i32 = 1; k < c.subframes; k++) {
    encodeIcdf(re, i32(load<i8>(base + INDICES_GAINS + usize(k))), gainDeltaIcdf, 8);
  }

  const wide = c.predictOrder == 16;
  const stage1 = i32(load<i8>(base + INDICES_NLSF));
  const stage1Model = (wide ? wbStage1Icdf : nbMbStage1Icdf) + (usize(indices.signalType >> 1) << 5);
  encodeIcdf(re, stage1, stage1Model, 8);
  unpackStage2(c.predictOrder, stage1);
  const stage2 = wide ? wbStage2Icdf : nbMbStage2Icdf;
  for (let i: i32 = 0; i < c.predictOrder; i++) {
    const residual = i32(load<i8>(base + INDICES_NLSF + usize(i), 1));
    const model = stage2 + usize(load<i16>(STAGE2_MODELS + (usize(i) << 1)));
    if (residual >= MODEL_LEVEL) {
      encodeIcdf(re, 2 * MODEL_LEVEL, model, 8);
      encodeIcdf(re, residual - MODEL_LEVEL, extensionIcdf, 8);
    } else if (residual <= -MODEL_LEVEL) {
      encodeIcdf(re, 0, model, 8);
      encodeIcdf(re, -residual - MODEL_LEVEL, extensionIcdf, 8);
    } else {
      encodeIcdf(re, residual + MODEL_LEVEL, model, 8);
    }
  }
  if (c.subframes == MAX_SUBFRAMES) encodeIcdf(re, indices.nlsfInterpolation, interpolationIcdf, 8);

  if (indices.signalType == SIGNAL_VOICED) {
    let absolute = true;
    if (coding == CODE_CONDITIONALLY && c.prevSignalTypeCoded == SIGNAL_VOICED) {
      let delta = indices.lag - c.prevLagIndex;
      if (delta < -8 || delta > 11) {
        delta = 0;
      } else {
        delta += 9;
        absolute = false;
      }
      encodeIcdf(re, delta, pitchDeltaIcdf, 8);
    }
    if (absolute) {
      const unit = c.rateKhz >> 1;
      const high = indices.lag / unit;
      encodeIcdf(re, high, pitchLagIcdf, 8);
      encodeIcdf(re, indices.lag - high * unit, lagLowIcdf(c.rateKhz), 8);
    }
    c.prevLagIndex = indices.lag;
    encodeIcdf(re, indices.contour, contourModel(c.rateKhz, c.subframes), 8);
    encodeIcdf(re, indices.periodicity, ltpPeriodicityIcdf, 8);
    const filters = ltpFilterModel(indices.periodicity);
    for (let k: i32 = 0; k < c.subframes; k++) {
      encodeIcdf(re, i32(load<i8>(base + INDICES_LTP + usize(k))), filters, 8);
    }
    if (coding == CODE_INDEPENDENTLY) encodeIcdf(re, indices.ltpScale, ltpScaleIcdf, 8);
  }
  c.prevSignalTypeCoded = indices.signalType;
  encodeIcdf(re, indices.seed, uniform4Icdf, 8);
}
