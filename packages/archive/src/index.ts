export {
  Archive,
  type ArchiveOptions,
  type ArchivePosition,
  type Clip,
  type ReadOptions,
  type SampleForm,
  timeAxis,
} from "./archive.ts";
export { type ClipPacket, clipPackets, clipPages } from "./clip-pages.ts";
export { ArchiveError, type ArchiveErrorCode } from "./errors.ts";
export { framedPackets, type PacketFraming, packetFramings } from "./framing.ts";
export type { ImportOptions, ImportResult, ImportSource } from "./import-recording.ts";
export { codecName } from "./layout.ts";
export { oggPages } from "./ogg-export.ts";
export { type OggSource, openOggSource } from "./ogg-source.ts";
export type { PacketItem } from "./packet-item.ts";
export type { RecordOptions } from "./record-options.ts";
export type { RecordingInfo, SegmentInfo, SourceInfo } from "./recording-info.ts";
export type { ReadReport } from "./recording-reader.ts";
export type { RecordingWriter } from "./recording-writer.ts";
export { type RepairOptions, type RepairReport, repairStore } from "./repair.ts";
export { portableSha256, type Sha256, type Sha256Factory } from "./sha256.ts";
export { type TimeAnchor, TimeAxis, type TimedRange } from "./time-axis.ts";
export { type VerifyFinding, type VerifyLevel, type VerifyReport, verifyRecording } from "./verify.ts";
export { type ChunkCodec, type ChunkCodecConfiguration, createChunkCodec } from "./zarr-codec.ts";
export { type RandomAccess, ZipStore } from "./zip-store.ts";
