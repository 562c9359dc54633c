import { BaseError } from "@longwave/base";
import type { Settings } from "./config.ts";

/**
 * The directory that the setting `catalog` names for a program that keeps its catalog itself; undefined where none is set.
 *
 * @throws BaseError `cli/bad-catalog` for the address of a service, which would otherwise become a directory of that name
 */
export function catalogDirectory(settings: Pick<Settings, "catalog">, command: string): string | undefined {
  const place = settings.catalog.value as string | undefined;
  const scheme = place === undefined ? undefined : /^[a-z][a-z0-9+.-]*:\/\//i.exec(place)?.[0];
  if (scheme === undefined) return place;
  throw new BaseError(
    "cli/bad-catalog",
    "usage",
    `longwave ${command} keeps its catalog in a directory; the one of ${settings.catalog.from} is at ${scheme}, ` +
      "which the commands longwave id and longwave jobs can use. Name a directory with --catalog.",
  );
}
