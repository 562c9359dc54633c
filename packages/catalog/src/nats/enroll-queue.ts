import type { Clock } from "@longwave/base";
import type { Fingerprint } from "@longwave/fingerprint";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Enrollment } from "../catalog.ts";
import { CatalogError } from "../errors.ts";
import type { AudioInput } from "../identification.ts";
import { checkTrackId, type TrackMetadata } from "../track.ts";
import { type JobKind, JobQueue, type JobQueueOptions, type QueueState } from "./job-queue.ts";

/** A recording to enroll. */
export interface EnrollJob {
  readonly track: TrackMetadata;
  /** Where a worker finds the sound: a path or address, whatever its `load` understands. */
  readonly source: string;
  /** Replace other sound under the same id. */
  readonly replace?: boolean;
}

/** What became of a job; published on `<subject>.done`. */
export type EnrollReport =
  | {
      readonly id: string;
      readonly source: string;
      readonly status: Enrollment["status"];
      readonly hashes: number;
      /** Length of the recording. */
      readonly seconds: number;
      /** Ids of tracks with the same fingerprint. */
      readonly duplicates: readonly string[];
    }
  | {
      readonly id: string;
      readonly source: string;
      readonly status: "failed";
      readonly code: string;
      readonly message: string;
    };

/** Options of {@link EnrollQueue.open}: stream `LONGWAVE_ENROLL` and subject `longwave.enroll` by default. */
export type EnrollQueueOptions = Partial<JobQueueOptions>;

/** Options of {@link EnrollQueue.work}. */
export interface EnrollWorkerOptions {
  readonly catalog: {
    enroll(
      metadata: TrackMetadata,
      sound: AudioInput | Fingerprint,
      options: { replace?: boolean; signal?: AbortSignal },
    ): Promise<Enrollment>;
  };
  /** Fetches the sound of a job. An error of the kind `unavailable` is tried again later, any other is final. */
  readonly load: (source: string, signal: AbortSignal) => Promise<AudioInput | Fingerprint>;
  readonly clock: Clock;
  /** Ends the worker after the job that it has. */
  readonly signal: AbortSignal;
  /** Pause before a job is tried again, seconds; default 5. */
  readonly retrySeconds?: number;
  /** Told of what this worker did and of what it reported as failed. */
  readonly onReport?: (report: EnrollReport) => void;
}

const enrolling: JobKind<EnrollJob, EnrollReport> = {
  parse: (value) => {
    const job = value as Partial<EnrollJob> | null;
    if (typeof job?.source === "string" && typeof job.track?.id === "string") return job as EnrollJob;
    throw new CatalogError("catalog/bad-message", "A job names no track or no source.");
  },
  failure: (job, code, message) => ({
    id: job?.track.id ?? "",
    source: job?.source ?? "",
    status: "failed",
    code,
    message,
  }),
};

/**
 * Enrolling as jobs of NATS JetStream: any number of workers pull them, a job of a worker that dies goes to another, and doing one twice
 * changes nothing, because a catalog knows sound by its content.
 *
 * @example
 * const queue = await EnrollQueue.open(connection);
 * await queue.add({ track: { id: "a1" }, source: "/music/a1.flac" });
 * await queue.work({ catalog, load: (path) => readSound(path), clock, signal });
 */
export class EnrollQueue {
  readonly #jobs: JobQueue<EnrollJob, EnrollReport>;

  private constructor(jobs: JobQueue<EnrollJob, EnrollReport>) {
    this.#jobs = jobs;
  }

  /** Makes stream and consumer where there are none. @throws CatalogError `catalog/engine-failed` */
  static async open(connection: NatsConnection, options: EnrollQueueOptions = {}): Promise<EnrollQueue> {
    const { stream = "LONGWAVE_ENROLL", subject = "longwave.enroll" } = options;
    return new EnrollQueue(await JobQueue.open(connection, enrolling, { ...options, stream, subject }));
  }

  /**
   * Adds a job. @returns false where an equal one was added within two minutes
   * @throws CatalogError `catalog/bad-id`, `catalog/busy` where the queue is full, `catalog/engine-failed`
   */
  async add(job: EnrollJob): Promise<boolean> {
    checkTrackId(job.track.id);
    return this.#jobs.add(job);
  }

  /** Jobs that wait or are being done. */
  length(): Promise<number> {
    return this.#jobs.length();
  }

  /** How many jobs wait, run and have failed. */
  state(): Promise<QueueState> {
    return this.#jobs.state();
  }

  /** The newest failures, oldest first, at most 10,000; they stay until then. */
  failures(): Promise<EnrollReport[]> {
    return this.#jobs.failures();
  }

  /** Reports of all workers from now on. */
  reports(signal?: AbortSignal): AsyncIterable<EnrollReport> {
    return this.#jobs.reports(signal);
  }

  /** Does jobs, one after the other, until the signal. @throws CatalogError `catalog/engine-failed` */
  work({ catalog, load, ...options }: EnrollWorkerOptions): Promise<void> {
    return this.#jobs.work({
      ...options,
      perform: async ({ track, source, replace }, signal) => {
        const sound = await load(source, signal);
        const done = await catalog.enroll(track, sound, replace === true ? { replace } : {});
        const { id, hashes, durationSeconds } = done.track;
        const { status, duplicates } = done;
        return { id, source, status, hashes, seconds: durationSeconds, duplicates };
      },
    });
  }
}
