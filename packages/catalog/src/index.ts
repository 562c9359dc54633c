export { HttpStore, type HttpStoreOptions } from "@longwave/base";
export { type Alignment, type AlignmentPoint, align } from "./align.ts";
export {
  type Calibration,
  type CalibrationRow,
  type CheckedCalibration,
  checkCalibration,
  defaultCalibrationOf,
  falseProbability,
  fitCalibration,
} from "./calibration.ts";
export { Catalog, type CatalogOptions, type Enrollment } from "./catalog.ts";
export type { DuplicateGroup, DuplicatePair } from "./dedup.ts";
export { CatalogError, type CatalogErrorCode } from "./errors.ts";
export type {
  AudioInput,
  Identification,
  IdentifyOptions,
  LaneIdentification,
  MissingShard,
  TrackMatch,
} from "./identification.ts";
export { decodeJournalEntry, encodeJournalEntry, type JournalEntry } from "./journal.ts";
export { type AskWindow, type LiveIdentification, LiveMatcher, type LiveOptions } from "./live-matcher.ts";
export { decodeManifest, encodeManifest, type Manifest, type SegmentReference } from "./manifest.ts";
export type { MonitorEvent, MonitorOptions } from "./monitor.ts";
export { PostingBatch, type PostingSource } from "./posting-batch.ts";
export { Segment } from "./segment.ts";
export { buildSegment } from "./segment-builder.ts";
export type { PostingColumns } from "./sort-by-hash.ts";
export type { StreamWindow } from "./stream-window.ts";
export { checkTrackId, type Track, type TrackMetadata, type TrackPage } from "./track.ts";
export { type CatalogReport, verifyCatalog } from "./verification.ts";
export { type TrackVotes, VoteTable } from "./vote-table.ts";
