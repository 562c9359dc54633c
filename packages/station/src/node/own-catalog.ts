import { access, constants, mkdir } from "node:fs/promises";
import { type Hooks, MemoryStore } from "@longwave/base";
import { DirectoryStore, SystemClock, systemReason } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { StationError } from "../errors.ts";
import { openOrAway } from "../remote-catalog.ts";
import type { StationCatalog } from "../station-catalog.ts";

export interface OwnCatalogOptions {
  /** Directory of the catalog; in memory by default. */
  readonly catalogDirectory?: string;
  /** What named that directory, for messages: a flag, a variable, a file. */
  readonly catalogSetting?: string;
  readonly hooks?: Hooks;
}

/**
 * Opens the catalog of a station, or of several that share it.
 * @throws StationError `station/catalog-unwritable`; CatalogError
 */
export async function openOwnCatalog(options: OwnCatalogOptions = {}): Promise<StationCatalog> {
  const { catalogDirectory: directory, catalogSetting, hooks } = options;
  // A catalog in memory takes the profile that is quickest to search; one on disk keeps its own.
  if (directory === undefined) return Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  const place = catalogSetting === undefined ? directory : `${directory} (${catalogSetting})`;
  await requireWritable(directory, place);
  return openOrAway({
    open: () => Catalog.open(new DirectoryStore(directory)),
    clock: new SystemClock(),
    onChange: (away) =>
      hooks?.log?.(
        "warn",
        away === undefined
          ? `The catalog in ${place} can be read now.`
          : `The catalog in ${place} cannot be read: ${away} Nothing is identified; everything else goes on.`,
      ),
  });
}

/** Asks at the start what the first enrolment would only find out on air. @throws StationError `station/catalog-unwritable` */
async function requireWritable(directory: string, place: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const message = `The catalog cannot be written to ${place}: ${systemReason(cause)}.`;
    throw new StationError("station/catalog-unwritable", "unavailable", message, { cause });
  }
}
