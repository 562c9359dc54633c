import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { ArchiveError } from "./errors.ts";
import { rootKey } from "./layout.ts";
import { checkRecordingInfo, parseJson, parseRecording, type RecordingInfo } from "./recording-info.ts";

/** Damaged descriptions that are looked at before a store is taken for a foreign one. */
const looks = 16;

/**
 * Whether a store's root metadata (`zarr.json`, Zarr v3) are those of an archive that this program reads. They are a cache: where
 * they are damaged, the recordings speak for themselves.
 * @param warn is told of damaged root metadata
 * @throws ArchiveError `archive/metadata` for another Zarr store, `archive/version` for a version other than 1
 */
export async function checkRoot(store: ObjectStore, warn: (message: string) => void): Promise<void> {
  const bytes = await store.get(rootKey);
  if (bytes === undefined) return;
  try {
    parseRoot(bytes);
  } catch (error) {
    if (!isLongwaveError(error, "archive/metadata") || !(await holdsRecordings(store, bytes))) throw error;
    warn(
      `${rootKey} at the root is damaged; the recordings' own descriptions are read. repair writes it anew.`,
    );
  }
}

/** The list of recordings in the root metadata, for stores that cannot list: as new as the last consolidation. */
export async function listedRecordings(
  store: ObjectStore,
  onDamaged?: (id: string, error: ArchiveError) => void,
): Promise<RecordingInfo[]> {
  const bytes = await store.get(rootKey);
  if (bytes === undefined) return [];
  const infos: RecordingInfo[] = [];
  for (const [i, value] of parseRoot(bytes).entries()) {
    try {
      infos.push(checkRecordingInfo(value, `Recording ${i} of ${rootKey}`));
    } catch (error) {
      if (onDamaged === undefined || !(error instanceof ArchiveError)) throw error;
      onDamaged(String(i), error);
    }
  }
  return infos;
}

function parseRoot(bytes: Uint8Array): readonly unknown[] {
  const root = parseJson(bytes, rootKey) as {
    attributes?: { longwave_archive?: { version?: unknown; recordings?: unknown } };
  } | null;
  const ours = root?.attributes?.longwave_archive;
  if (ours?.version === undefined) {
    throw new ArchiveError(
      "archive/metadata",
      "This Zarr store is no Longwave archive; open an empty directory or an archive.",
    );
  }
  if (ours.version !== 1) {
    throw new ArchiveError(
      "archive/version",
      `This archive has version ${String(ours.version)}; this program reads version 1.`,
    );
  }
  return Array.isArray(ours.recordings) ? ours.recordings : [];
}

/** Whether there are recordings of ours under a root that is not to be read. */
async function holdsRecordings(store: ObjectStore, root: Uint8Array): Promise<boolean> {
  let looked = 0;
  try {
    for await (const { key } of store.list("rec/")) {
      if (!/^rec\/[\w-]{1,64}\/zarr\.json$/.test(key)) continue;
      const bytes = await store.get(key);
      if (bytes !== undefined && isRecording(bytes, key)) return true;
      if (++looked === looks) return false;
    }
    return false;
  } catch (error) {
    if (!isLongwaveError(error, "store/cannot-list")) throw error;
    // Nothing can be written there, so a root that is no JSON at all does no harm.
    return !isJson(root);
  }
}

function isRecording(bytes: Uint8Array, key: string): boolean {
  try {
    parseRecording(bytes, key);
    return true;
  } catch (error) {
    return isLongwaveError(error, "archive/version");
  }
}

function isJson(bytes: Uint8Array): boolean {
  try {
    parseJson(bytes, rootKey);
    return true;
  } catch {
    return false;
  }
}
