import { Worker } from "node:worker_threads";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { StationError } from "../errors.ts";
import type { Score } from "../songs/score.ts";

/** Makes fingerprints of songs in a thread of its own, so that a station on air is not held up. One song at a time. */
export class SongFingerprinter {
  readonly #worker: Worker;
  #settle: { resolve: (fingerprint: Fingerprint) => void; reject: (error: Error) => void } | undefined;

  constructor(profile: ProfileId) {
    this.#worker = new Worker(new URL("./song-fingerprint-worker.js", import.meta.url), {
      workerData: { profile },
    });
    this.#worker.unref();
    this.#worker.on("message", (fingerprint: Fingerprint) => this.#settle?.resolve(fingerprint));
    this.#worker.on("error", (error) => this.#settle?.reject(error));
    this.#worker.on("exit", () => {
      this.#settle?.reject(new StationError("station/closed", "unavailable", "The station is closing."));
    });
  }

  fingerprint(score: Score): Promise<Fingerprint> {
    return new Promise<Fingerprint>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#worker.postMessage(score);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
