import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { StationError } from "../errors.ts";
import type { Score } from "../songs/score.ts";
import { SongThread } from "./song-thread.ts";

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
      return await Promise.race([this.#thread.fingerprint({ profile, score }), closed]);
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
