import type {
  AudioInput,
  Identification,
  IdentifyOptions,
  LiveMatcher,
  LiveOptions,
  StreamWindow,
  Track,
  TrackMetadata,
  TrackPage,
} from "@longwave/catalog";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";

/**
 * What a station and its server want of a catalog: a `Catalog` of this process is one, a `RemoteCatalog` another. What is asked
 * of one that is away fails with an error of the kind `unavailable`.
 */
export interface StationCatalog {
  /** May change once, when a catalog that was away from the start is found. */
  readonly profile: ProfileId;
  /** Every change is refused. */
  readonly isReadOnly: boolean;
  /** Why it cannot be asked just now, in words; undefined while it can. */
  readonly away?: string | undefined;
  identify(
    query: AudioInput | Fingerprint | StreamWindow,
    options?: IdentifyOptions,
  ): Promise<Identification>;
  live(options?: LiveOptions): LiveMatcher;
  enroll(
    metadata: TrackMetadata,
    sound: AudioInput | Fingerprint,
    options?: { readonly replace?: boolean; readonly signal?: AbortSignal },
  ): Promise<{ readonly track: Track }>;
  remove(id: string): Promise<void>;
  get(id: string): Track | undefined | Promise<Track | undefined>;
  page(offset: number, limit: number): Promise<TrackPage>;
  close(): Promise<void>;
}
