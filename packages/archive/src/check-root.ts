import { ArchiveError } from "./errors.ts";
import { rootKey } from "./layout.ts";
import { parseJson } from "./recording-info.ts";

/**
 * Whether a store's root metadata (`zarr.json`, Zarr v3) are those of an archive that this program reads.
 * @throws ArchiveError `archive/metadata` for another Zarr store, `archive/version` for a version other than 1
 */
export function checkRoot(bytes: Uint8Array): void {
  const root = parseJson(bytes, rootKey) as {
    attributes?: { longwave_archive?: { version?: unknown } };
  } | null;
  const version = root?.attributes?.longwave_archive?.version;
  if (version === undefined) {
    throw new ArchiveError(
      "archive/metadata",
      "This Zarr store is no Longwave archive; open an empty directory or an archive.",
    );
  }
  if (version !== 1) {
    throw new ArchiveError(
      "archive/version",
      `This archive has version ${String(version)}; this program reads version 1.`,
    );
  }
}
