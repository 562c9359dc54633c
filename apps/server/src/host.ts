import type {
  ArchiveRecorder,
  BondedPath,
  IntegrityProof,
  OpusCodec,
  OpusListeners,
  Reception,
  Scope,
  Station,
  StationArchive,
  StationCatalog,
  StreamProof,
  VoiceOver,
} from "@longwave/station";
import type { JobQueue } from "@longwave/station/jobs";
import type { SpeechService } from "@longwave/tts";
import { notFound } from "./errors.ts";

/** A station and what belongs to it, as far as the server can show it. */
export interface HostedStation {
  readonly station: Station;
  readonly scope: Scope;
  /** Where the reception can be changed. */
  readonly reception?: Reception;
  /** Where the sound travels over links. */
  readonly bond?: BondedPath;
  /** Where it is recorded. */
  readonly recorder?: ArchiveRecorder;
  /** Where its packets can be listened to as they are. */
  readonly opusListeners?: OpusListeners;
  /** Where the programme's encoder can be set. */
  readonly codec?: OpusCodec;
  /** Where texts are put on air. */
  readonly voiceOver?: VoiceOver;
  /** Why songs of its programme cannot be enrolled just now, in words; undefined while all is well. */
  readonly enrolmentFailure?: () => string | undefined;
}

/** What a server serves. Parts that are absent have no routes that succeed. */
export interface Host {
  readonly version: string;
  readonly stations: ReadonlyMap<string, HostedStation>;
  readonly catalog?: StationCatalog;
  readonly archive?: StationArchive;
  readonly speech?: SpeechService;
  /** The queue of imports and enrollments, to be shown. */
  readonly jobs?: Pick<JobQueue, "list" | "counts"> & {
    /** Why it cannot be asked just now, in words; undefined while it can. */
    readonly away?: string | undefined;
  };
  /** Vouches for the proofs that are exported; without it they are not signed. */
  readonly proofSigner?: {
    sign<Proof extends IntegrityProof | StreamProof>(
      proof: Proof,
      signedAtMs: number,
    ): Proof & { readonly signature: unknown };
  };
  /** Hosts from which `voice_url` may fetch recordings; none by default. */
  readonly voiceUrlHosts?: readonly string[];
  /** Undefined when ready, else what is still missing, in words. */
  readonly notReady: () => string | undefined;
  /** What does not work just now though everything else does, a sentence each, besides what is seen of the parts above. */
  readonly degraded?: () => readonly string[];
}

/** @throws ServerError `server/not-found` */
export function hostedStation(host: Host, id: string): HostedStation {
  const hosted = host.stations.get(id);
  if (hosted === undefined) throw notFound(`stream ${JSON.stringify(id.slice(0, 100))}`);
  return hosted;
}

/** @throws ServerError `server/not-found` where the server has no catalog */
export function hostedCatalog(host: Host): StationCatalog {
  if (host.catalog === undefined) throw notFound("catalog on this server");
  return host.catalog;
}
