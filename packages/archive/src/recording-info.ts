import type { ChunkLayout } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";

/** A stretch of packets decoded without reset: an Ogg link, one run of an encoder. */
export interface SegmentInfo {
  readonly firstPacket: number;
  readonly firstSample: number;
  readonly preSkip: number;
  readonly gainQ8: number;
  readonly inputSampleRate: number;
  /** Hash of the segment's packet list, see PacketHash. */
  readonly packetsSha256: string;
}

/** A source file as it was, kept beside the recording. */
export interface OriginalInfo {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Where a recording came from. */
export interface SourceInfo {
  readonly name?: string;
  readonly bytes?: number;
  /** SHA-256 of the file as it was, hexadecimal. */
  readonly sha256?: string;
  readonly container?: string;
  /** The input ended in the middle of something. */
  readonly truncated?: boolean;
  /** The file as it was is kept as well; see Archive.original. */
  readonly original?: OriginalInfo;
}

/** Who said when a recording began. */
export interface RecordingStart {
  /** `user`: it was told; `clock`: that of the program that recorded; the others: the file's metadata or name. */
  readonly source: (typeof startSources)[number];
  /** Nobody told the zone of that clock; its time was taken as UTC. */
  readonly zoneAssumed: boolean;
  /** Minutes that the place was ahead of UTC, where that was told. */
  readonly utcOffsetMinutes?: number;
}

const startSources = ["user", "clock", "guano", "audiomoth", "bext", "filename"] as const;

/** Everything the archive knows about a recording without touching its chunks; stored in its `zarr.json`. */
export interface RecordingInfo {
  /** 2 where chunks overlap: readers of version 1 alone must refuse these. */
  readonly version: 1 | 2;
  readonly id: string;
  /** `recording`: still being written, `frames` grows. */
  readonly state: "complete" | "recording";
  readonly profile: string;
  readonly channels: number;
  /** Length in sample frames at 48 kHz. */
  readonly frames: number;
  readonly packets: number;
  readonly chunkFrames: number;
  readonly chunksPerShard: number;
  readonly pointFrames: number;
  /** Set where the distance of stored states was chosen; see RecordOptions. */
  readonly checkpointFrames?: number;
  readonly segments: readonly SegmentInfo[];
  /** Whole shards written; the chunks behind them are separate objects while recording. */
  readonly sealedShards: number;
  /** SHA-256 of each shard object, hexadecimal. */
  readonly shardSha256: readonly string[];
  /** Size of each shard object. */
  readonly shardBytes: readonly number[];
  readonly tailChunks: number;
  /** Chunks are objects of their own instead of lying in shards, and readers of Zarr version 2 find metadata as well. */
  readonly v2Twin?: boolean;
  /** Chunks begin inside the one before them, with the packets of their run-ups. */
  readonly overlap?: boolean;
  readonly counts: {
    readonly packetBytes: number;
    readonly preRollBytes: number;
    readonly indexBytes: number;
    readonly points: number;
    readonly provenPoints: number;
    readonly checkpoints: number;
    readonly lost: number;
    readonly malformed: number;
    readonly dtx: number;
    readonly maxRunUp: number;
  };
  /** Combined hash of the segments' packet lists. */
  readonly packetsSha256: string;
  readonly source: SourceInfo;
  /** Wall clock; `unixNs` as a decimal text. `continuous`: a drift correction, not the end of a gap. */
  readonly anchors: readonly {
    readonly sample: number;
    readonly unixNs: string;
    readonly continuous?: boolean;
  }[];
  /** Where the time of the first anchor comes from; recordings of earlier versions do not tell. */
  readonly start?: RecordingStart;
  /** There are so many anchors that they lie in an array of their own; set in stored attributes only. */
  readonly storedAnchors?: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Raw metadata blobs kept under `meta/`, by name. */
  readonly rawMetadata: readonly string[];
}

/** What of a recording's description reading needs. */
export type StoredForm = Pick<
  RecordingInfo,
  | "id"
  | "profile"
  | "channels"
  | "chunkFrames"
  | "chunksPerShard"
  | "pointFrames"
  | "sealedShards"
  | "shardBytes"
  | "shardSha256"
  | "v2Twin"
  | "overlap"
> & {
  readonly segments: readonly Omit<RecordingInfo["segments"][number], "packetsSha256">[];
  readonly frames?: number;
};

/**
 * Validates what was parsed from a recording's `zarr.json`.
 * @throws ArchiveError `archive/version`, `archive/metadata`
 */
export function checkRecordingInfo(value: unknown, where: string): RecordingInfo {
  const bad = (what: string) =>
    new ArchiveError("archive/metadata", `${where} is damaged: ${what}. Restore it from a copy.`);
  if (!isRecord(value)) throw bad("it holds no archive attributes");
  if (value["version"] !== 1 && value["version"] !== 2) {
    throw new ArchiveError(
      "archive/version",
      `${where} has version ${String(value["version"])}; this program reads 1 and 2.`,
    );
  }
  const info = value as unknown as RecordingInfo;
  const integer = (name: keyof RecordingInfo, min: number, max = Number.MAX_SAFE_INTEGER) => {
    const number = info[name];
    if (!Number.isSafeInteger(number) || (number as number) < min || (number as number) > max) {
      throw bad(`${name} is ${String(number)}`);
    }
  };
  integer("channels", 1, 2);
  integer("frames", 0);
  integer("packets", 0);
  integer("chunkFrames", 480, 48_000 * 60);
  integer("chunksPerShard", 1, 1 << 20);
  integer("pointFrames", 480, 48_000 * 60);
  integer("sealedShards", 0);
  integer("tailChunks", 0);
  if (info.checkpointFrames !== undefined) integer("checkpointFrames", 48_000);
  if ((info.overlap === true) !== (info.version === 2))
    throw bad("version and overlap contradict each other");
  if (info.chunkFrames % info.pointFrames !== 0) throw bad("seek points do not divide the chunks");
  if (typeof info.id !== "string" || typeof info.profile !== "string") throw bad("id or profile is missing");
  if (info.state !== "complete" && info.state !== "recording") throw bad(`state is ${String(info.state)}`);
  const lists = [info.segments, info.anchors, info.shardSha256, info.shardBytes];
  if (!lists.every(Array.isArray)) throw bad("a list is missing");
  if (info.shardBytes.length !== info.sealedShards || info.shardSha256.length !== info.sealedShards) {
    throw bad("its shards are not all listed");
  }
  if (!info.shardBytes.every((bytes) => Number.isSafeInteger(bytes) && bytes >= 0))
    throw bad("a shard's size");
  if (info.packets > 0 && info.segments.length === 0) throw bad("it has packets but no segment");
  for (const segment of info.segments) {
    const fields = [segment.firstPacket, segment.firstSample, segment.preSkip];
    if (!fields.every((field) => Number.isSafeInteger(field) && field >= 0)) throw bad("a segment");
    if (!Number.isInteger(segment.gainQ8) || Math.abs(segment.gainQ8) > 32768) throw bad("a segment's gain");
  }
  const original = info.source?.original;
  if (original !== undefined && !(Number.isSafeInteger(original.bytes) && original.bytes >= 0))
    throw bad("the size of the original file");
  for (const anchor of info.anchors) {
    if (!Number.isSafeInteger(anchor.sample) || !/^-?\d{1,20}$/.test(anchor.unixNs))
      throw bad("a time anchor");
  }
  const { start } = info;
  if (start !== undefined) {
    const zone = start.utcOffsetMinutes ?? 0;
    const isValid = startSources.includes(start.source) && typeof start.zoneAssumed === "boolean";
    if (!isValid || !Number.isInteger(zone) || Math.abs(zone) > 24 * 60) throw bad("who told its start");
  }
  return info;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a recording's `zarr.json`. @throws ArchiveError `archive/version`, `archive/metadata` */
export function parseRecording(bytes: Uint8Array, where: string): RecordingInfo {
  const group = parseJson(bytes, where) as { attributes?: { longwave_archive?: unknown } } | null;
  return checkRecordingInfo(group?.attributes?.longwave_archive, where);
}

/** @throws ArchiveError `archive/metadata` */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ArchiveError("archive/metadata", `${where} is not valid JSON; restore it from a copy.`, {
      cause,
    });
  }
}

/** How the chunks of a recording lie in their shards. */
export function chunkLayout(form: Pick<RecordingInfo, "overlap">): ChunkLayout {
  return form.overlap === true ? "overlapping" : "apart";
}
