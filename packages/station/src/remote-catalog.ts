import { type Clock, isLongwaveError, type LongwaveError } from "@longwave/base";
import {
  type AudioInput,
  type Identification,
  type IdentifyOptions,
  LiveMatcher,
  type LiveOptions,
  type StreamWindow,
  type Track,
  type TrackMetadata,
  type TrackPage,
} from "@longwave/catalog";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { StationError } from "./errors.ts";
import type { StationCatalog } from "./station-catalog.ts";

/** A catalog behind a service while that is there: `PostgresCatalog`, or the matchers over NATS. */
export type CatalogService = Omit<StationCatalog, "away" | "live">;

export interface RemoteCatalogOptions {
  /** Connects and opens; called again after every loss. */
  readonly open: () => Promise<CatalogService>;
  readonly clock: Clock;
  /** Profile that is taken until the catalog says its own; default `mark-v1`, which a new one gets. */
  readonly profile?: ProfileId;
  /** Pause before a service that is away is tried again; default 1 s. */
  readonly retryUs?: number;
  /** A question that takes longer counts as none that is answered; default 10 s. A change may take six times as long. */
  readonly timeoutUs?: number;
  /** Told when the service goes away, with the reason, and (undefined) when it is back. */
  readonly onChange?: (away: string | undefined) => void;
}

const defaults = { profile: "mark-v1", retryUs: 1_000_000, timeoutUs: 10_000_000 } as const;

/**
 * A catalog behind a service that may be away, from the start or later. While it is, everything that is asked fails at once, and the
 * service is tried again and again; whoever follows a stream goes on following it.
 *
 * @example
 * const catalog = await RemoteCatalog.open({ clock, open: async () => PostgresCatalog.open(postgresClient(postgres(url))) });
 */
export class RemoteCatalog implements StationCatalog {
  readonly #options: RemoteCatalogOptions;
  #profile: ProfileId;
  #service: CatalogService | undefined;
  #away: string | undefined;
  #retry: number | undefined;
  #closed = false;

  private constructor(options: RemoteCatalogOptions) {
    this.#options = options;
    this.#profile = options.profile ?? defaults.profile;
  }

  /**
   * Opens the catalog. One that cannot be reached, or is of a version that this program does not read, is no error: then it is `away`.
   * @throws LongwaveError of another kind than `unavailable`, such as `catalog/missing`
   */
  static async open(options: RemoteCatalogOptions): Promise<RemoteCatalog> {
    const catalog = new RemoteCatalog(options);
    await catalog.#connect();
    return catalog;
  }

  get profile(): ProfileId {
    return this.#profile;
  }

  get away(): string | undefined {
    return this.#away;
  }

  get isReadOnly(): boolean {
    return this.#service?.isReadOnly ?? false;
  }

  identify(
    query: AudioInput | Fingerprint | StreamWindow,
    options?: IdentifyOptions,
  ): Promise<Identification> {
    return this.#ask((service) => service.identify(query, options));
  }

  live(options: LiveOptions = {}): LiveMatcher {
    return new LiveMatcher(this.#profile, (window, how) => this.identify(window, how), options);
  }

  enroll(
    metadata: TrackMetadata,
    sound: AudioInput | Fingerprint,
    options?: { readonly replace?: boolean; readonly signal?: AbortSignal },
  ): Promise<{ readonly track: Track }> {
    return this.#ask((service) => service.enroll(metadata, sound, options), 6);
  }

  remove(id: string): Promise<void> {
    return this.#ask((service) => service.remove(id), 6);
  }

  get(id: string): Promise<Track | undefined> {
    return this.#ask(async (service) => service.get(id));
  }

  page(offset: number, limit: number): Promise<TrackPage> {
    return this.#ask((service) => service.page(offset, limit));
  }

  /** Closes the service. A second call does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== undefined) this.#options.clock.cancel(this.#retry);
    const service = this.#service;
    this.#service = undefined;
    await service?.close();
  }

  async #connect(): Promise<void> {
    this.#retry = undefined;
    let service: CatalogService;
    const opening = this.#options.open();
    try {
      service = await this.#inTime(opening, 1);
    } catch (error) {
      // It may open yet, when nobody waits for it any more.
      void opening.then((late) => late.close()).catch(() => {});
      // What is wrong at the start is said then; later it is one more reason to be away.
      if (this.#away === undefined && !isAway(error)) throw error;
      this.#goAway(error);
      return;
    }
    if (this.#closed) return service.close();
    this.#service = service;
    this.#profile = service.profile;
    if (this.#away === undefined) return;
    this.#away = undefined;
    this.#options.onChange?.(undefined);
  }

  async #ask<T>(question: (service: CatalogService) => Promise<T>, times = 1): Promise<T> {
    const service = this.#service;
    if (service === undefined) {
      const why = this.#closed ? "It was closed." : (this.#away ?? "It is being opened.");
      throw new StationError("station/catalog-away", "unavailable", `The catalog is away. ${why}`);
    }
    try {
      return await this.#inTime(question(service), times);
    } catch (error) {
      if (isLost(error) && this.#service === service && !this.#closed) {
        this.#service = undefined;
        void service.close().catch(() => {});
        this.#goAway(error);
      }
      throw error;
    }
  }

  #goAway(error: unknown): void {
    if (this.#closed) return;
    const { clock, retryUs = defaults.retryUs, onChange } = this.#options;
    this.#retry = clock.schedule(clock.nowUs() + retryUs, () => void this.#connect());
    const isNew = this.#away === undefined;
    this.#away = (error as Error).message;
    if (isNew) onChange?.(this.#away);
  }

  async #inTime<T>(work: Promise<T>, times: number): Promise<T> {
    const { clock, timeoutUs = defaults.timeoutUs } = this.#options;
    let late = 0;
    const limit = new Promise<never>((_, reject) => {
      late = clock.schedule(clock.nowUs() + times * timeoutUs, () => {
        const message = `The catalog's service gives no answer within ${(times * timeoutUs) / 1e6} s.`;
        reject(new StationError("station/catalog-away", "unavailable", message));
      });
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      clock.cancel(late);
    }
  }
}

/**
 * Opens a catalog of this process as it is. Only one of a version that this program does not read is a `RemoteCatalog`: `away`, and
 * tried again, until another lies there.
 * @throws LongwaveError as `open`, but for `catalog/version`
 */
export async function openOrAway(
  options: Omit<RemoteCatalogOptions, "open"> & { readonly open: () => Promise<StationCatalog> },
): Promise<StationCatalog> {
  try {
    return await options.open();
  } catch (error) {
    if (!isLongwaveError(error, "catalog/version")) throw error;
    return RemoteCatalog.open(options);
  }
}

function isAway(error: unknown): boolean {
  return isLongwaveError(error) && (error.kind === "unavailable" || error.code === "catalog/version");
}

/** The service itself failed: neither did others keep changing the catalog, nor did who asked lose patience. */
function isLost(error: unknown): boolean {
  return (
    isAway(error) &&
    /^(catalog|station)\//.test((error as LongwaveError).code) &&
    !isLongwaveError(error, "catalog/locked")
  );
}
