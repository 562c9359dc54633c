import { CatalogError } from "./errors.ts";

/** What the user says about a track. `id` is unique in a catalog; everything else is kept and given back. */
export interface TrackMetadata {
  readonly id: string;
  readonly title?: string;
  readonly artist?: string;
  /** Anything else, as JSON. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A track as the catalog lists it. */
export interface Track extends TrackMetadata {
  readonly durationSeconds: number;
  readonly hashes: number;
  /** SHA-256 of profile, settings and records, 32 hexadecimal digits: equal for equal sound. */
  readonly contentHash: string;
}

/** A part of the list of tracks, and how much there is in all. */
export interface TrackPage {
  readonly total: number;
  readonly postings: number;
  readonly tracks: readonly Track[];
}

/**
 * Checks an id: 1 to 200 characters without control characters.
 * @throws CatalogError `catalog/bad-id`
 */
export function checkTrackId(id: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused
  if (typeof id === "string" && id.length > 0 && id.length <= 200 && !/[\u0000-\u001f\u007f]/.test(id))
    return;
  throw new CatalogError(
    "catalog/bad-id",
    `${JSON.stringify(id)} is no track id: use 1 to 200 characters without control characters.`,
  );
}
