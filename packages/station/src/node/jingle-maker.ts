import type { ProgrammeItem } from "../programme.ts";
import { type JingleOptions, jingleOf } from "../watermark/jingle.ts";
import { SongThread } from "./song-thread.ts";

/**
 * Makes the station's jingle beside the thread that plays: to hide a mark takes up to a fifth of a second for each of its periods, in which
 * nothing else would be answered.
 */
export class JingleMaker {
  readonly #thread = SongThread.join();
  #hasLeft = false;

  /** @throws StationError `station/worker-failed` */
  async make(options: Omit<JingleOptions, "pause">): Promise<() => ProgrammeItem> {
    try {
      return jingleOf(await this.#thread.jingle(options));
    } finally {
      await this.close();
    }
  }

  /** A second call does nothing. */
  async close(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    await this.#thread.leave();
  }
}
