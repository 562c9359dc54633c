export {
  type ChannelLane,
  type ChannelLayout,
  channelLanes,
  extractLanes,
  type LaneFingerprint,
} from "./channel-lanes.ts";
export { CompatResampler, compatResample } from "./compat-resample.ts";
export { exactLog2 } from "./decibels.ts";
export { fromEnvelope, toEnvelope } from "./envelope.ts";
export { FingerprintError, type FingerprintErrorCode } from "./errors.ts";
export { exactExp } from "./exact-math.ts";
export { downmix, type ExtractOptions, extract, prepareSamples } from "./extract.ts";
export {
  durationSeconds,
  type Fingerprint,
  type PeakSink,
  type RecordSink,
  recordCount,
  type WhitenedSink,
} from "./fingerprint.ts";
export { type LandmarkSettings, panakoDefaults, wangDefaults } from "./landmark-settings.ts";
export {
  evidenceOf,
  evidenceOfPeaks,
  evidencePerNat,
  type MarkEvidence,
  type WhitenedQuery,
} from "./mark-evidence.ts";
export { appendMarkPairs, type Hypothesis, identity, markHashBits, PairList } from "./mark-pairs.ts";
export { type MarkQuery, markQuery, queryShifts } from "./mark-query.ts";
export { markColumns, markFirstBin } from "./mark-spectrum.ts";
export { matchHaitsma } from "./match-haitsma.ts";
export { matchPair } from "./match-pair.ts";
export { matchPanako } from "./match-panako.ts";
export { matchWang } from "./match-wang.ts";
export type { NoMatchReason, PairMatch, PairMiss, PairResult } from "./pair-match.ts";
export { frameToMs, type Profile, type ProfileId, profileIds, profileOf } from "./profile.ts";
export { fromSerialV1, toSerialV1 } from "./serial-v1.ts";
export { hmacSha256, sha256 } from "./sha256.ts";
export {
  classifySound,
  type SoundClass,
  SoundClassifier,
  type SoundSpan,
  soundClasses,
} from "./sound-class.ts";
export { createStream, FingerprintStream, type StreamOptions } from "./stream.ts";
export { parseWangHash, wangHash } from "./wang-pairs.ts";
