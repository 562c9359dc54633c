import { StationError } from "../errors.ts";

/**
 * Refuses a place that a station cannot record into, which would otherwise become a directory of that name: any scheme but `s3://`, and
 * that without a bucket.
 * @throws StationError `station/bad-option`
 */
export function requireArchivePlace(place: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place)?.[1];
  if (scheme === undefined || /^s3:\/\/[^/]/.test(place)) return;
  const isBucketMissing = scheme.toLowerCase() === "s3" && /^s3:\/*$/i.test(place);
  throw new StationError(
    "station/bad-option",
    "usage",
    isBucketMissing
      ? `${place} names no bucket (--archive): write s3://bucket/prefix.`
      : `A station cannot record into ${scheme}:// (--archive): name a directory or s3://bucket/prefix.`,
  );
}
