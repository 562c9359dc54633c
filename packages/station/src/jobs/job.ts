import { StationError } from "../errors.ts";

/** What can be done as a job: a file goes into an archive, or its fingerprint into a catalog. */
export const jobKinds = ["import", "enroll"] as const;
export type JobKind = (typeof jobKinds)[number];

export const jobStates = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];

/** What shall be done. Jobs name sources, never places that are written to: those are the worker's. */
export interface JobRequest {
  /** Follows from what shall be done to which content (`jobIdOf`): the same request twice is one job. */
  readonly id: string;
  readonly kind: JobKind;
  /** Path of the file, as the workers reach it. */
  readonly source: string;
  /** SHA-256 of the file when the job was added, hexadecimal: other content under the path later is refused. */
  readonly sha256: string;
  /** How often it may fail with a reason that could pass; four times as many workers may vanish over it. */
  readonly maxAttempts: number;
  /** Of an enrollment: the track. */
  readonly track?: { readonly id: string; readonly title: string };
  /** Of an enrollment: other sound under the same track id is replaced. */
  readonly replace?: boolean;
  /** Of an import: encode what is not Opus yet, which loses something. */
  readonly lossy?: boolean;
}

/** What a job came to, for people and programs: `recording` and `duplicate`, or `track`, `status` and `hashes`. */
export type JobResult = Readonly<Record<string, string | number | boolean>>;

export interface JobFailure {
  /** Of the error, for example `media/malformed`; `station/job-abandoned` where the workers vanished. */
  readonly code: string;
  readonly message: string;
}

/** A job as its queue knows it. Times are milliseconds since 1970. */
export interface Job extends JobRequest {
  readonly state: JobState;
  /** How often it was begun. */
  readonly attempts: number;
  /** How many of these ended without a word of the worker, which was killed or slow; absent for none. */
  readonly abandoned?: number;
  readonly addedAtMs: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** Who does it, or did it last. */
  readonly worker?: string;
  readonly result?: JobResult;
  /** Why the last attempt failed; a waiting job may have one. */
  readonly failure?: JobFailure;
}

export function hasEnded(state: JobState): state is EndedState {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** The states in which nothing is done with a job any more. */
export type EndedState = "done" | "failed" | "cancelled";

/** Number of jobs by state. */
export type JobCounts = Readonly<Record<JobState, number>>;

/** The counts of an empty queue. */
export const noJobs: JobCounts = { waiting: 0, running: 0, done: 0, failed: 0, cancelled: 0 };

/** Longest path or track id that a job takes, in characters. */
const longestText = 4096;

/** A request as it came over a wire or out of a database. @throws StationError `station/bad-job` */
export function parseJobRequest(value: unknown): JobRequest {
  const job = (typeof value === "object" && value !== null ? value : {}) as Partial<JobRequest>;
  const isText = (text: unknown): text is string =>
    typeof text === "string" && text !== "" && text.length <= longestText;
  const { id, kind, source, sha256, maxAttempts, track, replace, lossy } = job;
  const isGood =
    isText(id) &&
    /^[a-z]+-[0-9a-f]{24}$/.test(id) &&
    jobKinds.includes(kind as JobKind) &&
    isText(source) &&
    /^[0-9a-f]{64}$/.test(sha256 ?? "") &&
    Number.isSafeInteger(maxAttempts) &&
    maxAttempts! >= 1 &&
    (kind === "import" || (isText(track?.id) && typeof track.title === "string"));
  if (!isGood) {
    const shown = JSON.stringify(value)?.slice(0, 100);
    throw new StationError("station/bad-job", "malformed", `What lies in the queue is no job: ${shown}.`);
  }
  return {
    id,
    kind: kind!,
    source,
    sha256: sha256!,
    maxAttempts: maxAttempts!,
    ...(track !== undefined && { track: { id: track.id, title: track.title } }),
    ...(replace === true && { replace }),
    ...(lossy === true && { lossy }),
  };
}
