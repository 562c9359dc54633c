export { Archive, type ArchiveOptions, type Clip } from "./archive.ts";
export { type ClipPacket, clipPackets, clipPages } from "./clip-pages.ts";
export { ArchiveError, type ArchiveErrorCode } from "./errors.ts";
export { type FileNameTime, fileNameTime } from "./file-name-time.ts";
export { framedPackets, type PacketFraming, packetFramings } from "./framing.ts";
export {
  type ImportPlan,
  type PlanOptions,
  planImport,
  type RateMode,
  type SoundForm,
} from "./import-plan.ts";
export type { ImportOptions, ImportResult, ImportSource, NotKept } from "./import-recording.ts";
export { codecName } from "./layout.ts";
export { oggPages } from "./ogg-export.ts";
export { type OggSource, openOggSource, openOpusSource } from "./ogg-source.ts";
export { type EncoderFactory, ItemEncoder, type PacketEncoder } from "./packet-encoder.ts";
export type { PacketItem } from "./packet-item.ts";
export type { ReadManyOptions } from "./read-many.ts";
export { type PoolPort, type PoolWorker, ReadPool, serveReads } from "./read-pool.ts";
export type { ArchivePosition, ReadOptions, ReadRequest, SampleForm } from "./read-request.ts";
export type { RecordOptions } from "./record-options.ts";
export { parseIso, type RecorderStart, recorderStart, type StartHints } from "./recorder-start.ts";
export type {
  OriginalInfo,
  RecordingInfo,
  RecordingStart,
  SegmentInfo,
  SourceInfo,
} from "./recording-info.ts";
export type { ReadReport } from "./recording-reader.ts";
export type { RecordingWriter } from "./recording-writer.ts";
export { type RepairOptions, type RepairReport, repairStore } from "./repair.ts";
export { timeAxis } from "./resolve-range.ts";
export type { RunUpSummary } from "./seek-array.ts";
export { portableSha256, type Sha256, type Sha256Factory } from "./sha256.ts";
export { type TimeAnchor, TimeAxis, type TimedRange, type TimeGap } from "./time-axis.ts";
export { type VerifyFinding, type VerifyLevel, type VerifyReport, verifyRecording } from "./verify.ts";
export { webmPieces } from "./webm-export.ts";
export { type ChunkCodec, type ChunkCodecConfiguration, createChunkCodec } from "./zarr-codec.ts";
export { type RandomAccess, ZipStore } from "./zip-store.ts";
