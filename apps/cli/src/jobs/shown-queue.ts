import type { Job, JobCounts, JobListOptions, JobQueue } from "@longwave/station/jobs";
import { StationError } from "@longwave/station/jobs";
import { jobBackendOf, resolveJobsSettings } from "./jobs-settings.ts";
import { openJobQueue } from "./open-job-queue.ts";

/** Time between two looks whether the queue is there. */
const lookMs = 10_000;

/** The queue for a server that shows it. One that is away, from the start or later, is looked for again and again. */
export class ShownQueue {
  readonly #open: () => Promise<JobQueue>;
  readonly #onChange: (away: string | undefined) => void;
  #queue: JobQueue | undefined;
  #away: string | undefined;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(open: () => Promise<JobQueue>, onChange: (away: string | undefined) => void) {
    this.#open = open;
    this.#onChange = onChange;
  }

  /** @param onChange told when the queue is away, with the reason, and (undefined) when it is there again */
  static async open(
    open: () => Promise<JobQueue>,
    onChange: (away: string | undefined) => void,
    everyMs: number = lookMs,
  ): Promise<ShownQueue> {
    const shown = new ShownQueue(open, onChange);
    await shown.#look();
    shown.#timer = setInterval(() => {
      shown.#looking ??= shown.#look().finally(() => {
        shown.#looking = undefined;
      });
    }, everyMs).unref();
    return shown;
  }

  /** Why it cannot be asked just now, in words; undefined while it can. */
  get away(): string | undefined {
    return this.#away;
  }

  /** @throws StationError `station/jobs-unavailable` while it is away */
  list(options?: JobListOptions): Promise<readonly Job[]> {
    return this.#ask((queue) => queue.list(options));
  }

  /** @throws StationError `station/jobs-unavailable` while it is away */
  counts(): Promise<JobCounts> {
    return this.#ask((queue) => queue.counts());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
    await this.#queue?.close();
  }

  async #ask<T>(question: (queue: JobQueue) => Promise<T>): Promise<T> {
    if (this.#queue === undefined) {
      const message = this.#away ?? "The job queue is being opened.";
      throw new StationError("station/jobs-unavailable", "unavailable", message);
    }
    const answer = await question(this.#queue).catch((error: Error) => {
      this.#note(error.message);
      throw error;
    });
    this.#note(undefined);
    return answer;
  }

  async #look(): Promise<void> {
    try {
      this.#queue ??= await this.#open();
      // The cheapest question there is.
      await this.#queue.pending();
      this.#note(undefined);
    } catch (error) {
      this.#note((error as Error).message);
    }
  }

  #note(away: string | undefined): void {
    const isChange = (away === undefined) !== (this.#away === undefined);
    this.#away = away;
    if (isChange && !this.#closed) this.#onChange(away);
  }
}

/**
 * The configured queue for a server that shows it; undefined where none is configured. Of one that cannot be reached `warn` is told, and
 * when it can be again. @throws ConfigError for settings that cannot be meant
 */
export async function openShownQueue(
  config: string | undefined,
  warn: (message: string) => void,
): Promise<ShownQueue | undefined> {
  const settings = resolveJobsSettings({}, process.env, config);
  if (settings.url.value === undefined) return undefined;
  jobBackendOf(settings);
  return ShownQueue.open(
    () => openJobQueue(settings),
    (away) =>
      warn(
        away === undefined
          ? "The job queue is there again."
          : `${away} It is not shown until it is back; everything else goes on.`,
      ),
  );
}
