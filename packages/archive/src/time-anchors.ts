import type { ObjectStore } from "@longwave/base";
import { gunzipSync, gzipSync } from "fflate";
import { ArchiveError } from "./errors.ts";
import { json, timeKey } from "./layout.ts";
import type { RecordingInfo } from "./recording-info.ts";

type Anchor = RecordingInfo["anchors"][number];

/** So many anchors stay in the attributes; a recording with more keeps all of them in an array. */
export const attributeAnchors = 1000;
/** 24 bytes each: sample, nanoseconds, 1 for a drift correction. */
const anchorBytes = 24;
const mostAnchors = 1 << 22;

/**
 * Writes the anchors of a recording that has too many for its attributes as a Zarr array: int64 [anchors, 3], gzip; the
 * columns are sample, nanoseconds since the Unix epoch, and 1 where the anchor corrects drift instead of ending a gap.
 * @returns the recording as its attributes describe it
 */
export async function storeAnchors(store: ObjectStore, info: RecordingInfo): Promise<RecordingInfo> {
  const { anchors } = info;
  if (anchors.length <= attributeAnchors) return info;
  const bytes = new Uint8Array(anchorBytes * anchors.length);
  const view = new DataView(bytes.buffer);
  for (const [i, anchor] of anchors.entries()) {
    view.setBigInt64(anchorBytes * i, BigInt(anchor.sample), true);
    view.setBigInt64(anchorBytes * i + 8, BigInt(anchor.unixNs), true);
    view.setBigInt64(anchorBytes * i + 16, anchor.continuous === true ? 1n : 0n, true);
  }
  await store.put(timeKey(info.id, "c/0/0"), gzipSync(bytes, { level: 6, mtime: 0 }));
  const metadata = json({
    zarr_format: 3,
    node_type: "array",
    shape: [anchors.length, 3],
    data_type: "int64",
    chunk_grid: { name: "regular", configuration: { chunk_shape: [anchors.length, 3] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: 0,
    codecs: [
      { name: "bytes", configuration: { endian: "little" } },
      { name: "gzip", configuration: { level: 6 } },
    ],
    dimension_names: ["anchor", "field"],
    attributes: {},
  });
  await store.put(timeKey(info.id, "zarr.json"), metadata);
  return { ...info, anchors: anchors.slice(0, 1), storedAnchors: anchors.length };
}

/** The recording with all its anchors. @throws ArchiveError `archive/metadata`, `archive/limit` */
export async function withAnchors(store: ObjectStore, info: RecordingInfo): Promise<RecordingInfo> {
  const count = info.storedAnchors;
  if (count === undefined || count <= info.anchors.length) return info;
  const key = timeKey(info.id, "c/0/0");
  const damaged = () =>
    new ArchiveError("archive/metadata", `${key} is damaged or missing; restore it from a copy.`);
  if (!Number.isSafeInteger(count) || count > mostAnchors)
    throw new ArchiveError("archive/limit", `Recording ${info.id} claims ${count} time anchors.`);
  const stored = await store.get(key);
  if (stored === undefined) throw damaged();
  const bytes = new Uint8Array(anchorBytes * count);
  try {
    if (gunzipSync(stored, { out: bytes }).length < bytes.length) throw damaged();
  } catch {
    throw damaged();
  }
  const view = new DataView(bytes.buffer);
  const anchors = Array.from({ length: count }, (_, i): Anchor => {
    const sample = Number(view.getBigInt64(anchorBytes * i, true));
    if (!Number.isSafeInteger(sample)) throw damaged();
    const unixNs = view.getBigInt64(anchorBytes * i + 8, true).toString();
    const continuous = view.getBigInt64(anchorBytes * i + 16, true) !== 0n;
    return { sample, unixNs, ...(continuous ? { continuous } : {}) };
  });
  const { storedAnchors: _, ...rest } = info;
  return { ...rest, anchors };
}
