import { BaseError } from "@longwave/base";
import { DirectoryStore, SystemClock } from "@longwave/base/node";
import {
  Catalog,
  type CatalogOptions,
  HttpStore,
  type LiveOptions,
  type MonitorEvent,
  type MonitorOptions,
} from "@longwave/catalog";
import type { PostgresCatalog } from "@longwave/catalog/postgres";
import { connectTo, isNats, parseNatsPlace, scatteredOver } from "./nats-place.ts";

/** A catalog in a directory, on a web server or in PostgreSQL: what the commands do with it is the same. */
export type AnyCatalog = Catalog | PostgresCatalog;

/** What can be asked: a catalog, or the matchers of one. */
export interface Searchable extends Pick<Catalog, "profile" | "identify">, AsyncDisposable {
  /**
   * Follows a stream. While a database is away looks wait for it: of `live` sound a minute's, and what finds no room is lost; anything else is
   * read no further until it is back.
   */
  monitor(
    stream: AsyncIterable<Float32Array>,
    options: MonitorOptions & LiveOptions & { readonly live: boolean },
  ): AsyncIterable<MonitorEvent>;
}

/** Longest wait for a database that does not answer. */
const connectSeconds = 8;
/** Longest pause before a lost connection is made again; the driver's own is 20 s. */
const mostBackoffSeconds = 2;

/** True for the address of a database. */
export function isDatabase(place: string): boolean {
  return /^postgres(ql)?:\/\//.test(place);
}

/**
 * Opens the catalog that `--catalog` names: a directory, an http(s) address of a compacted catalog (for reading), or
 * `postgres://user@host/database` (with `?schema=name`, default `longwave`, and `?host=/folder` for a socket).
 */
export async function openCatalog(
  place: string,
  options: Pick<CatalogOptions, "profile" | "readOnly"> = {},
): Promise<AnyCatalog> {
  if (isDatabase(place)) return openDatabase(place, options);
  if (isNats(place)) {
    throw new BaseError(
      "cli/no-broker-command",
      "usage",
      "Over NATS a catalog can be searched and enrolled into; for the rest name the catalog of each shard itself.",
    );
  }
  if (!/^https?:\/\//.test(place)) return Catalog.open(new DirectoryStore(place), options);
  if (options.readOnly === true) return Catalog.open(new HttpStore(place), options);
  throw new BaseError(
    "cli/read-only-catalog",
    "usage",
    `${place} can only be searched; change the catalog where it was made and copy it there again.`,
  );
}

/** The directory of a catalog, for verbs that read all of it. */
export function localStore(place: string, verb: string): DirectoryStore {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) return new DirectoryStore(place);
  throw new BaseError(
    "cli/bad-option",
    "usage",
    `id ${verb} reads a whole catalog: --catalog must name its directory, not ${place.replace(/\/\/[^/@]*@/, "//")}.`,
  );
}

/** Opens a catalog in a directory, for verbs that work on all of it. */
export function openLocal(
  place: string,
  verb: string,
  options: Pick<CatalogOptions, "readOnly"> = {},
): Promise<Catalog> {
  return Catalog.open(localStore(place, verb), options);
}

/** Opens what `--catalog` names for searching: as `openCatalog`, or matchers by `nats://host?of=3`. */
export async function openSearchable(place: string): Promise<Searchable> {
  if (isDatabase(place)) {
    const catalog = await openDatabase(place, { readOnly: true });
    return {
      profile: catalog.profile,
      identify: (query, options) => catalog.identify(query, options),
      monitor: (stream, { live, ...options }) =>
        catalog.monitor(stream, {
          ...options,
          outages: { clock: new SystemClock(), whenFull: live ? "drop" : "wait" },
        }),
      [Symbol.asyncDispose]: () => catalog.close(),
    };
  }
  if (!isNats(place)) {
    const catalog = await openCatalog(place, { readOnly: true });
    return {
      profile: catalog.profile,
      identify: (query, options) => catalog.identify(query, options),
      monitor: (stream, { live: _, ...options }) => catalog.monitor(stream, options),
      [Symbol.asyncDispose]: () => catalog.close(),
    };
  }
  const parsed = parseNatsPlace(place);
  const connection = await connectTo(parsed);
  try {
    const scattered = await scatteredOver(connection, parsed);
    return {
      profile: scattered.profile,
      identify: (query, options) => scattered.identify(query, options),
      monitor: (stream, { live: _, ...options }) => scattered.monitor(stream, options),
      [Symbol.asyncDispose]: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The driver is loaded for those who ask for it. */
export async function openDatabase(
  place: string,
  options: Pick<CatalogOptions, "profile" | "readOnly"> = {},
): Promise<PostgresCatalog> {
  if (!URL.canParse(place)) {
    throw new BaseError("cli/bad-address", "usage", "The address of the database is malformed.");
  }
  const url = new URL(place);
  const take = (name: string) => {
    const value = url.searchParams.get(name) ?? undefined;
    url.searchParams.delete(name);
    return value;
  };
  const [schema, host] = [take("schema"), take("host")];
  const [{ default: postgres }, { postgresClient, PostgresCatalog: Opened }] = await Promise.all([
    import("postgres"),
    import("@longwave/catalog/postgres"),
  ]);
  const sql = postgres(url.href, {
    max: 4,
    connect_timeout: connectSeconds,
    backoff: (failures: number) => Math.min(mostBackoffSeconds, 3 ** failures / 100),
    onnotice: () => {},
    ...(host !== undefined && { host }),
  });
  try {
    return await Opened.open(postgresClient(sql), { ...options, ...(schema !== undefined && { schema }) });
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

/** Number of tracks. */
export async function countTracks(catalog: AnyCatalog): Promise<number> {
  return typeof catalog.size === "number" ? catalog.size : catalog.size();
}
