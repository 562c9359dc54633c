import { Worker } from "node:worker_threads";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { StationError } from "../errors.ts";
import type { Score } from "../songs/score.ts";

/**
 * Makes fingerprints of songs in a thread of its own, so that a station on air is not held up. One song at a time, also of several
 * stations in one process: their threads together would take the cores from the one that plays.
 */
export class SongFingerprinter {
  /** Settles when the song that this process works at is done. */
  static #turn: Promise<unknown> = Promise.resolve();
  readonly #worker: Worker;
  #closed = false;
  #settle: { resolve: (fingerprint: Fingerprint) => void; reject: (error: Error) => void } | undefined;

  constructor(profile: ProfileId) {
    this.#worker = new Worker(new URL("./song-fingerprint-worker.js", import.meta.url), {
      workerData: { profile },
    });
    this.#worker.unref();
    this.#worker.on("message", (fingerprint: Fingerprint) => this.#settle?.resolve(fingerprint));
    this.#worker.on("error", (error) => this.#settle?.reject(error));
    this.#worker.on("exit", () => {
      this.#closed = true;
      this.#settle?.reject(closing());
    });
  }

  fingerprint(score: Score): Promise<Fingerprint> {
    const result = SongFingerprinter.#turn.then(() => this.#fingerprintNow(score));
    SongFingerprinter.#turn = result.catch(() => undefined);
    return result;
  }

  #fingerprintNow(score: Score): Promise<Fingerprint> {
    if (this.#closed) return Promise.reject(closing());
    return new Promise<Fingerprint>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#worker.postMessage(score);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }
}

function closing(): StationError {
  return new StationError("station/closed", "unavailable", "The station is closing.");
}
