import { crc32c } from "@longwave/base";
import { type ProfileId, profileOf } from "@longwave/fingerprint";
import type { Calibration } from "./calibration.ts";
import { CatalogError } from "./errors.ts";

/** The one object that says what a catalog consists of. It is replaced whole, by a conditional put. */
export interface Manifest {
  readonly profile: ProfileId;
  readonly configHash: string;
  /** Immutable segments, oldest first. */
  readonly segments: readonly SegmentReference[];
  /** Journal objects below this number are contained in the segments. */
  readonly journalStart: number;
  /** How contrasts become probabilities; the default one where absent. */
  readonly calibration?: Calibration;
}

/** A segment and the tracks in it that were removed since it was written. */
export interface SegmentReference {
  readonly key: string;
  readonly bytes: number;
  readonly tracks: number;
  readonly postings: number;
  /** Numbers of removed tracks, ascending. */
  readonly removed: readonly number[];
}

export const manifestKey = "manifest.json";
const formatVersion = 1;

/** JSON text with the CRC32C of its content in front, so that damage is found. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const content = JSON.stringify(manifest);
  const crc = crc32c(new TextEncoder().encode(content));
  return new TextEncoder().encode(
    `{"format":"longwave-catalog","version":${formatVersion},"crc32c":${crc},"content":${content}}\n`,
  );
}

/** @throws CatalogError `catalog/corrupt`, `catalog/version` */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const fail = (what: string, cause?: unknown) =>
    new CatalogError("catalog/corrupt", `${manifestKey} is damaged: ${what}. Restore it from a copy.`, {
      cause,
    });
  let outer: { format?: unknown; version?: unknown; crc32c?: unknown; content?: Manifest };
  try {
    outer = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw fail((error as Error).message, error);
  }
  if (outer?.format !== "longwave-catalog") throw fail("it is not the manifest of a catalog");
  if (outer.version !== formatVersion) {
    throw new CatalogError(
      "catalog/version",
      `This catalog has format version ${outer.version}; this program reads ${formatVersion}. Update Longwave.`,
    );
  }
  const content = outer.content;
  if (crc32c(new TextEncoder().encode(JSON.stringify(content))) !== outer.crc32c) {
    throw fail("its checksum does not agree");
  }
  if (content === undefined || !Array.isArray(content.segments)) throw fail("it lists no segments");
  profileOf(content.profile);
  return content;
}
