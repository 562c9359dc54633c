export { ArchiveRecorder, type ArchiveRecorderOptions } from "./archive/archive-recorder.ts";
export { checkIntegrity } from "./archive/check-proof.ts";
export {
  type ExportedFile,
  type IntegrityProof,
  type PacketsProof,
  type ProofGap,
  proveIntegrity,
  wavHeader,
  wavPieces,
} from "./archive/integrity-proof.ts";
export { type ArchivedGap, type GapReason, gapReasons, recordingGaps } from "./archive/recording-gaps.ts";
export {
  type ArchivedRecording,
  type ArchivedSpan,
  describeRecording,
  StationArchive,
  type StationArchiveOptions,
} from "./archive/station-archive.ts";
export { digestStore, type StoreDigest } from "./archive/store-digest.ts";
export {
  type ExportPiece,
  exportOpus,
  exportWav,
  exportWavBytes,
  planExport,
  type StreamExport,
} from "./archive/stream-export.ts";
export { proveStream, type StreamProof, type StreamProofPiece } from "./archive/stream-proof.ts";
export { type PeakRow, peakBinFrames, WaveformPeaks } from "./archive/waveform-peaks.ts";
export { type Delivery, type WriteBehindOptions, WriteBehindStore } from "./archive/write-behind-store.ts";
export type { Listener, ReaderLosses } from "./byte-queue.ts";
export { StationError } from "./errors.ts";
export {
  EventLog,
  eventLine,
  type StationEvent,
  type StationEventBody,
  type StationEventType,
} from "./event-log.ts";
export { LevelMeter } from "./level-meter.ts";
export { defaultListenerLimits, type ListenerLimits, Listeners } from "./listeners.ts";
export { type IdentifierOptions, LiveIdentifier, type NowPlaying } from "./live-identifier.ts";
export { OpusListeners } from "./opus-listeners.ts";
export { type Airing, airingsCsv, PlayReport } from "./play-report.ts";
export { type NextItem, Programme, type ProgrammeItem } from "./programme.ts";
export {
  checkReception,
  cleanReception,
  defaultReception,
  Reception,
  type ReceptionSettings,
} from "./reception.ts";
export {
  type CatalogService,
  openOrAway,
  RemoteCatalog,
  type RemoteCatalogOptions,
} from "./remote-catalog.ts";
export { Scope } from "./scope.ts";
export { fingerprintSlowly, type SlowFingerprintOptions, type StereoReader } from "./slow-fingerprint.ts";
export { composeSong } from "./songs/composer.ts";
export { type EnrollRepertoireOptions, enrollRepertoire } from "./songs/enroll-repertoire.ts";
export { defaultSongCount, makeRepertoire, songOrder, songProgramme } from "./songs/repertoire.ts";
export type { DrumEvent, NoteEvent, PartName, Score } from "./songs/score.ts";
export { SongRenderer } from "./songs/song-renderer.ts";
export { blockFrames, blockUs, framesToMs, stationChannels, stationRateHz } from "./sound.ts";
export { AnnouncedProgramme, type AnnouncedProgrammeOptions } from "./speech/announced-programme.ts";
export { SpokenClip } from "./speech/spoken-clip.ts";
export { type SayRequest, type SpokenReport, VoiceOver } from "./speech/voice-over.ts";
export type { Cue, ItemKind, ProgrammeSource, SoundPath, SoundSink, SourceAbsence } from "./stages.ts";
export { Station, type StationParts, type StationStatus } from "./station.ts";
export type { StationCatalog } from "./station-catalog.ts";
export type { ArrivalEvent, ArrivalState, SoundArrival } from "./transport/arrival-watch.ts";
export { type BlockCodec, PcmCodec } from "./transport/block-codec.ts";
export {
  BondedPath,
  type BondedPathParts,
  type BondStatus,
  type LinkChange,
  type LinkPhase,
  type LinkStatus,
  type StationLink,
} from "./transport/bonded-path.ts";
export { ChainedPath } from "./transport/chained-path.ts";
export { cleanLinks, defaultLinks, type LinkPlan } from "./transport/default-links.ts";
export { type Impairment, impairments } from "./transport/impairment.ts";
export type { LinkCourse, LinkHistory } from "./transport/link-history.ts";
export { defaultOpusSettings, OpusCodec, type OpusSettings } from "./transport/opus-codec.ts";
export { bondOverVirtualLinks, type VirtualLinksOptions } from "./transport/virtual-links.ts";
export { programmeName, runVirtualStation, type VirtualStationOptions } from "./virtual-station.ts";
export { type FindMarksOptions, type FoundMark, findMarks } from "./watermark/find-marks.ts";
export { type JingleOptions, makeJingle, stationMark, stationMarkKey } from "./watermark/jingle.ts";
export { JingledOrder } from "./watermark/jingled-order.ts";
export { WatermarkReader } from "./watermark/watermark-reader.ts";
