import { Worker } from "node:worker_threads";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { StationError } from "../errors.ts";
import type { Score } from "../songs/score.ts";
import type { SongRequest } from "./song-fingerprint-worker.ts";

interface Answer {
  readonly number: number;
  readonly fingerprint: Fingerprint;
}

/**
 * The one thread of a process that makes fingerprints of songs. It begins with the first station, so that it has loaded what it needs
 * before anything changes on disk, and ends with the last.
 */
class SongThread {
  static #shared: SongThread | undefined;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Fingerprint | StationError) => void>();
  #users = 0;
  #count = 0;
  #ended: StationError | undefined;

  private constructor() {
    this.#worker = new Worker(new URL("./song-fingerprint-worker.js", import.meta.url));
    this.#worker.unref();
    this.#worker.on("message", ({ number, fingerprint }: Answer) => this.#settle(number, fingerprint));
    this.#worker.on("error", (cause) => this.#end(cause.message, cause));
    this.#worker.on("exit", (code) => this.#end(`it ended with ${code}`));
  }

  /** The thread of this process; `leave` it when it is not needed any more. */
  static join(): SongThread {
    SongThread.#shared ??= new SongThread();
    SongThread.#shared.#users++;
    return SongThread.#shared;
  }

  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    if (SongThread.#shared === this) SongThread.#shared = undefined;
    await this.#worker.terminate();
  }

  /** @throws StationError `station/worker-failed` */
  async fingerprint(profile: ProfileId, score: Score): Promise<Fingerprint> {
    if (this.#ended !== undefined) throw this.#ended;
    const number = this.#count++;
    const answer = await new Promise<Fingerprint | StationError>((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.postMessage({ number, profile, score } satisfies SongRequest);
    });
    if (answer instanceof StationError) throw answer;
    return answer;
  }

  #settle(number: number, answer: Fingerprint | StationError): void {
    this.#waiting.get(number)?.(answer);
    this.#waiting.delete(number);
  }

  #end(reason: string, cause?: Error): void {
    this.#ended ??= new StationError(
      "station/worker-failed",
      "unavailable",
      `The thread that fingerprints songs has failed: ${reason.replace(/\.$/, "")}. Where the program was built or installed anew meanwhile, start the station again.`,
      { cause },
    );
    if (SongThread.#shared === this) SongThread.#shared = undefined;
    for (const number of [...this.#waiting.keys()]) this.#settle(number, this.#ended);
  }
}

/**
 * Makes fingerprints of songs beside the thread that plays, so that a station on air is not held up. All stations of a process share one
 * thread that does one song after the other: their threads together would take the cores from the one that plays.
 */
export class SongFingerprinter {
  readonly #thread = SongThread.join();
  readonly #closing = new AbortController();

  /** @throws StationError `station/worker-failed`, `station/closed` as soon as this one is closed */
  async fingerprint(profile: ProfileId, score: Score): Promise<Fingerprint> {
    const { signal } = this.#closing;
    if (signal.aborted) throw closing();
    let onAbort = () => {};
    const closed = new Promise<never>((_, reject) => {
      onAbort = () => reject(closing());
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([this.#thread.fingerprint(profile, score), closed]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#thread.leave();
  }
}

function closing(): StationError {
  return new StationError("station/closed", "unavailable", "The station is closing.");
}
