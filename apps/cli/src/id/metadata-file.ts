import { readFile } from "node:fs/promises";
import { BaseError } from "@longwave/base";
import { isSystemError, systemErrorKind, systemReason } from "@longwave/base/node";
import type { TrackMetadata } from "@longwave/catalog";

/** What `--meta` says about the tracks. @throws BaseError `cli/bad-metadata` */
export async function readMetadata(path: string): Promise<Record<string, Partial<TrackMetadata>>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    const isPlain = (each: unknown) => typeof each === "object" && each !== null && !Array.isArray(each);
    if (isPlain(value) && Object.values(value as object).every(isPlain)) {
      return value as Record<string, Partial<TrackMetadata>>;
    }
  } catch (cause) {
    const kind = isSystemError(cause) ? systemErrorKind(cause) : "usage";
    const message = `${path} cannot be read as JSON: ${systemReason(cause)}.`;
    throw new BaseError("cli/bad-metadata", kind, message, { cause });
  }
  throw new BaseError(
    "cli/bad-metadata",
    "usage",
    `${path} must hold an object from track ids to objects such as {"title": "...", "artist": "..."}.`,
  );
}
