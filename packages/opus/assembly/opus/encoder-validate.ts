// Checks an encoder's slot that comes from outside (a restored snapshot) before it is used: settings within their ranges, no index
// that leads out of the slot or of a table, finite floats.
import {
  analysisOf,
  CeltEncoder,
  inputMemory,
  MAX_PERIOD,
  oldEnergy,
  SignalAnalysis,
  surroundMask,
} from "../celt/encoder-state";
import { BANDS, OVERLAP } from "../celt/state";
import { silkEncoderValid } from "../silk/encoder-validate";
import { allFinite, finite, within } from "../validate";
import { ANGLE, AnalysisState, HISTORY_FRAMES, RESULT_RING, resultAt, RESULTS, STEP_SAMPLES } from "./analysis-state";
import {
  analysisStateOf,
  AUTO,
  BITRATE_HIGHEST,
  celtEncoderOf,
  controlOf,
  delayBuffer,
  filterMemory,
  OpusEncoderState,
  SIGNAL_MUSIC,
  SIGNAL_VOICE,
  silkEncoderOf,
} from "./encoder-state";

/** Far above any signal, far below overflow in what is computed from it. */
const LOUD: f32 = 1e9;

function settingsValid(s: OpusEncoderState): bool {
  const rate = s.bitrateBps;
  if (rate != AUTO && rate != BITRATE_HIGHEST && !within(rate, 500, 750000 * s.channels)) return false;
  if (s.signal != AUTO && s.signal != SIGNAL_VOICE && s.signal != SIGNAL_MUSIC) return false;
  if (s.userBandwidth != AUTO && !within(s.userBandwidth, 1, 5)) return false;
  if (s.forceChannels != AUTO && !within(s.forceChannels, 1, s.channels)) return false;
  if (s.forceMode != AUTO && !within(s.forceMode, 1, 3)) return false;
  return (
    within(s.complexity, 0, 10) &&
    within(s.vbr, 0, 1) &&
    within(s.vbrConstraint, 0, 1) &&
    within(s.maxBandwidth, 1, 5) &&
    within(s.inbandFec, 0, 2) &&
    within(s.packetLossPercent, 0, 100) &&
    within(s.dtx, 0, 1) &&
    within(s.lsbDepth, 8, 24) &&
    within(s.predictionDisabled, 0, 1) &&
    within(s.phaseInversionDisabled, 0, 1) &&
    within(s.lfe, 0, 1) &&
    within(s.voiceRatio, -1, 100)
  );
}

function layerValid(s: OpusEncoderState): bool {
  return (
    within(s.streamChannels, 1, s.channels) &&
    within(s.stereoWidthQ14, 0, 1 << 14) &&
    within(s.cutoffQ15, 0, 1 << 22) &&
    finite(s.previousHighGain, 1) &&
    allFinite(filterMemory(s), filterMemory(s) + 16, LOUD) &&
    within(s.mode, 1, 3) &&
    within(s.previousMode, 0, 3) &&
    within(s.previousChannels, 0, s.channels) &&
    within(s.previousFrames, 0, 5760) &&
    within(s.bandwidth, 1, 5) &&
    within(s.autoBandwidth, 0, 5) &&
    within(s.silkBandwidthSwitch, 0, 1) &&
    within(s.first, 0, 1) &&
    finite(s.widthXX, LOUD) &&
    finite(s.widthXY, LOUD) &&
    finite(s.widthYY, LOUD) &&
    finite(s.widthSmoothed, LOUD) &&
    finite(s.widthFollower, LOUD) &&
    within(s.detectedBandwidth, 0, 5) &&
    within(s.inactiveHalfMs, 0, 1 << 20) &&
    finite(s.peakEnergy, LOUD) &&
    within(s.nonfinalFrame, 0, 1) &&
    within(s.hasMask, 0, 1) &&
    allFinite(delayBuffer(s), delayBuffer(s) + 480 * 2 * 4, LOUD)
  );
}

function signalAnalysisValid(a: SignalAnalysis): bool {
  const first = changetype<usize>(a) + offsetof<SignalAnalysis>("tonality");
  return (
    within(a.valid, 0, 1) &&
    within(a.bandwidth, 0, 20) &&
    allFinite(first, first + 24, 1000) &&
    finite(a.activityProbability, 1000) &&
    finite(a.maxPitchRatio, 1000)
  );
}

function celtValid(c: CeltEncoder, s: OpusEncoderState): bool {
  if (c.channels != s.channels || c.upsample != 48000 / s.sampleRate) return false;
  if (!within(c.streamChannels, 1, c.channels) || (c.startBand != 0 && c.startBand != 17)) return false;
  if (c.endBand != 13 && c.endBand != 17 && c.endBand != 19 && c.endBand != BANDS) return false;
  if (!within(c.complexity, 0, 10) || !within(c.lossPercent, 0, 100) || !within(c.lsbDepth, 8, 24)) return false;
  if (!within(c.lfe, 0, 1) || !within(c.spread, 0, 3) || !within(c.tapset, 0, 2)) return false;
  if (!within(c.tonalAverage, 0, 1 << 20) || !within(c.highAverage, 0, 1 << 20)) return false;
  if (!within(c.lastCodedBands, 0, BANDS) || !within(c.intensity, 0, BANDS)) return false;
  if (!within(c.prefilterPeriod, 0, MAX_PERIOD - 2) || !within(c.prefilterTapset, 0, 2)) return false;
  if (!within(c.consecutiveTransients, 0, i32.MAX_VALUE - 1) || !within(c.vbrCount, 0, 970)) return false;
  if (!within(c.vbrReservoir, 0, 1 << 28) || !within(c.hasMask, 0, 1)) return false;
  if (!within(c.vbrDrift, -(1 << 28), 1 << 28) || !within(c.vbrOffset, -(1 << 28), 1 << 28)) return false;
  if (!within(c.silkSignalType, 0, 2) || !within(c.silkOffset, 0, 1024)) return false;
  if (!finite(c.delayedIntra, LOUD) || !finite(c.prefilterGain, 1) || !finite(c.overlapMax, LOUD)) return false;
  if (!finite(c.preemphasisLeft, LOUD) || !finite(c.preemphasisRight, LOUD)) return false;
  if (!finite(c.stereoSaving, 1000) || !finite(c.spectrumAverage, 1000)) return false;
  if (!signalAnalysisValid(analysisOf(c))) return false;
  // Energies of three frames and the error, log2; then the signals before and after the prefilter; then the mask.
  const mask = surroundMask(c);
  return (
    allFinite(oldEnergy(c), oldEnergy(c) + 4 * 2 * <usize>BANDS * 4, 1000) &&
    allFinite(inputMemory(c, 0), inputMemory(c, 0) + 2 * <usize>(OVERLAP + MAX_PERIOD) * 4, 1e12) &&
    allFinite(mask, mask + 2 * <usize>BANDS * 4, 1000)
  );
}

function analysisValid(a: AnalysisState): bool {
  const base = changetype<usize>(a);
  if (!within(a.initialized, 0, 1) || !within(a.filled, 0, STEP_SAMPLES)) return false;
  if (!within(a.previousBandwidth, 0, 20) || !within(a.historyAt, 0, HISTORY_FRAMES - 1)) return false;
  if (!within(a.count, 0, 10000) || !within(a.offset, -5760, 5760)) return false;
  if (!within(a.writeAt, 0, RESULTS - 1) || !within(a.readAt, 0, RESULTS - 1)) return false;
  if (!within(a.readSubframe, 0, 7) || !finite(a.previousTonality, LOUD)) return false;
  if (!finite(a.loudnessTracker, LOUD) || !finite(a.lowEnergyCount, LOUD)) return false;
  for (let i = 0; i < RESULTS; i++) if (!signalAnalysisValid(resultAt(a, i))) return false;
  const resamplers = base + offsetof<AnalysisState>("highEnergy");
  return allFinite(resamplers, resamplers + 16, 1e20) && allFinite(base + ANGLE, base + RESULT_RING, 1e20);
}

/** Whether the slot is one that encoding can have left behind, as far as safety goes. */
export function encoderValid(s: OpusEncoderState, sampleRate: i32, channels: i32, application: i32): bool {
  if (s.sampleRate != sampleRate || s.channels != channels || s.application != application) return false;
  const control = controlOf(s);
  if (!within(control.lbrrCoded, 0, 1) || !within(control.toMono, 0, 1)) return false;
  if (control.apiChannels != channels || control.apiRateHz != sampleRate) return false;
  return (
    settingsValid(s) &&
    layerValid(s) &&
    celtValid(celtEncoderOf(s), s) &&
    silkEncoderValid(silkEncoderOf(s), sampleRate, channels) &&
    analysisValid(analysisStateOf(s))
  );
}
