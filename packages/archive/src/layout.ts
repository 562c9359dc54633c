import { gzipSync } from "fflate";
import type { RecordingInfo } from "./recording-info.ts";

/** Name of the chunk codec in Zarr metadata; readers register it. */
export const codecName = "longwave-opus";
/** Everything belonging to a recording lies under this prefix. */
export function recordingPrefix(id: string): string {
  return `rec/${id}/`;
}
export function recordingKey(id: string): string {
  return `rec/${id}/zarr.json`;
}
export function arrayKey(id: string): string {
  return `rec/${id}/pcm/zarr.json`;
}
/** Shard `n` of a recording (default chunk keys of Zarr v3; the second coordinate is the channel). */
export function shardKey(id: string, shard: number): string {
  return `rec/${id}/pcm/c/${shard}/0`;
}
/** A chunk that is an object of its own (recordings with a twin for Zarr version 2). */
export function chunkKey(id: string, chunk: number): string {
  return `rec/${id}/pcm/${chunk}.0`;
}
/** A chunk that belongs to a shard not yet complete, while recording. */
export function tailKey(id: string, chunk: number): string {
  return `rec/${id}/tail/${chunk}`;
}
export function metaKey(id: string, name: string): string {
  return `rec/${id}/meta/${name}/c/0`;
}
export function hashKey(sha256: string): string {
  return `by-hash/${sha256}`;
}
export function partKey(id: string): string {
  return `parts/${id}.json`;
}
/** Part of the seek point array. */
export function seekKey(id: string, part: string): string {
  return `rec/${id}/seek/${part}`;
}
/** Part of the array that holds the source file as it was. */
export function originalKey(id: string, part: string): string {
  return `rec/${id}/original/${part}`;
}
/** Part of the array of time anchors, of recordings that have too many for their attributes. */
export function timeKey(id: string, part: string): string {
  return `rec/${id}/time/${part}`;
}
/** Held by the one writer of a recording that others can see already. */
export function leaseKey(id: string): string {
  return `parts/${id}.lease`;
}
/** Where a recording is written anew before it takes its place. */
export function rewritePrefix(id: string): string {
  return `rewrites/${id}/`;
}
export const rootKey = "zarr.json";

/** The recording's group metadata: standard attributes for other readers, ours in one namespaced object. */
export function recordingMetadata(info: RecordingInfo): Uint8Array {
  const startNs = info.anchors[0]?.sample === 0 ? BigInt(info.anchors[0].unixNs) : undefined;
  return json({
    zarr_format: 3,
    node_type: "group",
    attributes: {
      sampling_rate: 48_000,
      units: "1",
      ...(startNs === undefined ? {} : { start_time: isoTime(startNs) }),
      longwave_archive: info,
    },
  });
}

/** The PCM array's metadata: int16 [frames, channels], shards of inner chunks, our codec, then crc32c. */
export function arrayMetadata(info: RecordingInfo, frames: number): Uint8Array {
  const inner = [info.chunkFrames, info.channels];
  const chunkCodecs = [{ name: codecName, configuration: codecConfiguration(info) }, { name: "crc32c" }];
  if (info.v2Twin === true) {
    return json({
      zarr_format: 3,
      node_type: "array",
      shape: [frames, info.channels],
      data_type: "int16",
      chunk_grid: { name: "regular", configuration: { chunk_shape: inner } },
      chunk_key_encoding: { name: "v2", configuration: { separator: "." } },
      fill_value: 0,
      codecs: chunkCodecs,
      dimension_names: ["time", "channel"],
      attributes: {},
    });
  }
  return json({
    zarr_format: 3,
    node_type: "array",
    shape: [frames, info.channels],
    data_type: "int16",
    chunk_grid: {
      name: "regular",
      configuration: { chunk_shape: [info.chunkFrames * info.chunksPerShard, info.channels] },
    },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: 0,
    codecs: [
      {
        name: "sharding_indexed",
        configuration: {
          chunk_shape: inner,
          codecs: chunkCodecs,
          index_codecs: [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }],
          index_location: "end",
        },
      },
    ],
    dimension_names: ["time", "channel"],
    attributes: {},
  });
}

function codecConfiguration(info: RecordingInfo): Record<string, unknown> {
  return {
    format: info.overlap === true ? 2 : 1,
    profile: info.profile,
    segments: info.segments.map((each) => [each.firstPacket, each.gainQ8]),
  };
}

/** The same array for readers of Zarr version 2: `.zarray` and `.zattrs` beside the chunks, `.zgroup` above. */
export function v2Metadata(info: RecordingInfo, frames: number): Map<string, Uint8Array> {
  const array = {
    zarr_format: 2,
    shape: [frames, info.channels],
    chunks: [info.chunkFrames, info.channels],
    dtype: "<i2",
    compressor: { id: codecName, ...codecConfiguration(info), chunk_frames: info.chunkFrames },
    fill_value: 0,
    order: "C",
    filters: null,
    dimension_separator: ".",
  };
  const attributes = { _ARRAY_DIMENSIONS: ["time", "channel"], sampling_rate: 48_000 };
  return new Map([
    [`rec/${info.id}/pcm/.zarray`, json(array)],
    [`rec/${info.id}/pcm/.zattrs`, json(attributes)],
    [`rec/${info.id}/.zgroup`, json({ zarr_format: 2 })],
  ]);
}

/** Metadata and data of a one-dimensional uint8 array that holds `bytes` in one gzip chunk. */
export function blobArray(bytes: Uint8Array): { metadata: Uint8Array; chunk: Uint8Array } {
  const metadata = json({
    zarr_format: 3,
    node_type: "array",
    shape: [bytes.length],
    data_type: "uint8",
    chunk_grid: { name: "regular", configuration: { chunk_shape: [Math.max(1, bytes.length)] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: 0,
    codecs: [{ name: "bytes" }, { name: "gzip", configuration: { level: 6 } }],
    attributes: {},
  });
  return {
    metadata,
    chunk: gzipSync(bytes.length === 0 ? new Uint8Array(1) : bytes, { level: 6, mtime: 0 }),
  };
}

/** The store's root group. The list of recordings is a cache: the recordings' own metadata is the truth. */
export function rootMetadata(recordings: readonly RecordingInfo[]): Uint8Array {
  return json({
    zarr_format: 3,
    node_type: "group",
    attributes: { longwave_archive: { version: 1, recordings } },
  });
}

/** UTC time with nanoseconds, ISO 8601. */
export function isoTime(unixNs: bigint): string {
  const ns = ((unixNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (unixNs - ns) / 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return ns === 0n ? `${whole}Z` : `${whole}.${ns.toString().padStart(9, "0").replace(/0+$/, "")}Z`;
}

export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}
