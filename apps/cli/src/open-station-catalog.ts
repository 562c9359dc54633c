import { BaseError } from "@longwave/base";
import { DirectoryStore, SystemClock } from "@longwave/base/node";
import { Catalog, CatalogError } from "@longwave/catalog";
import { type CatalogService, openOrAway, RemoteCatalog, type StationCatalog } from "@longwave/station";
import type { Setting } from "./config.ts";
import { connectTo, isNats, parseNatsPlace, scatteredOver } from "./id/nats-place.ts";
import { isDatabase, openCatalog, openDatabase } from "./id/open-catalog.ts";

/** What the setting `catalog` names: a directory, or a catalog that is open already. */
export type NamedCatalog =
  | { readonly directory: string; readonly directoryFrom: string }
  | { readonly catalog: StationCatalog };

/**
 * Opens the catalog that the setting `catalog` names, but for a directory: `postgres://`, `nats://` (matchers, for searching), `http(s)://`
 * (a compacted catalog, for searching). A database or a broker that is away is told to `warn`, and is tried again and again.
 *
 * @throws BaseError `cli/bad-catalog` for any other scheme, which would otherwise become a directory of that name
 */
export async function openNamedCatalog(
  { value, from }: Setting,
  warn: (message: string) => void,
): Promise<NamedCatalog | undefined> {
  const place = value as string | undefined;
  if (place === undefined) return undefined;
  requireCatalogPlace(place, from);
  const scheme = schemeOf(place);
  if (scheme === undefined) return { directory: place, directoryFrom: from };
  const watched = { clock: new SystemClock(), onChange: telling(from, warn) };
  if (/^https?$/.test(scheme)) {
    const open = async () => (await openCatalog(place, { readOnly: true })) as Catalog;
    return { catalog: await openOrAway({ open, ...watched }) };
  }
  return { catalog: await RemoteCatalog.open({ open: serviceAt(place), ...watched }) };
}

/** @throws BaseError `cli/bad-catalog` for a scheme that no catalog has */
export function requireCatalogPlace(place: string, from: string): void {
  const scheme = schemeOf(place);
  if (scheme === undefined || /^https?$/.test(scheme) || isDatabase(place) || isNats(place)) return;
  throw new BaseError(
    "cli/bad-catalog",
    "usage",
    `There is no catalog at ${scheme}:// (${from}): name a directory, postgres://, nats:// or http(s)://.`,
  );
}

function schemeOf(place: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(place)?.[1];
}

/** The same for a server without a station. */
export async function openServedCatalog(
  setting: Setting,
  warn: (message: string) => void,
): Promise<StationCatalog | undefined> {
  const named = await openNamedCatalog(setting, warn);
  if (named === undefined || "catalog" in named) return named?.catalog;
  return openOrAway({
    open: () => Catalog.open(new DirectoryStore(named.directory)),
    clock: new SystemClock(),
    onChange: telling(setting.from, warn),
  });
}

/** Says that a catalog went away, and that it is back. */
function telling(from: string, warn: (message: string) => void): (away: string | undefined) => void {
  return (away) =>
    warn(
      away === undefined
        ? `The catalog (${from}) is there again.`
        : `The catalog (${from}) is away: ${away} Nothing is identified until it is back; everything else goes on.`,
    );
}

function serviceAt(place: string): () => Promise<CatalogService> {
  if (isDatabase(place)) return () => openDatabase(place);
  const parsed = parseNatsPlace(place);
  return async () => {
    const connection = await connectTo(parsed);
    try {
      const scattered = await scatteredOver(connection, parsed);
      const refuse = async () => {
        throw new CatalogError(
          "catalog/read-only",
          "The matchers over NATS can be searched here; longwave id enrolls, lists and removes at their shards.",
        );
      };
      return {
        profile: scattered.profile,
        isReadOnly: true,
        identify: (query, options) => scattered.identify(query, options),
        enroll: refuse,
        remove: refuse,
        get: refuse,
        page: refuse,
        close: () => connection.close(),
      };
    } catch (error) {
      await connection.close();
      throw error;
    }
  };
}
