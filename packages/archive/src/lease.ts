import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { ArchiveError } from "./errors.ts";
import { leaseKey } from "./layout.ts";

/** The right to write one recording. Kept as an object in the store, so that it holds between processes and machines. */
export class Lease {
  readonly #store: ObjectStore;
  readonly #key: string;
  #etag: string;

  private constructor(store: ObjectStore, key: string, etag: string) {
    this.#store = store;
    this.#key = key;
    this.#etag = etag;
  }

  /**
   * Takes the lease of a recording.
   * @param owner says who writes, for the message to others
   * @param takeOver takes it away from a writer that is known to be dead
   * @throws ArchiveError `archive/lease` while somebody else has it
   */
  static async take(store: ObjectStore, id: string, owner: string, takeOver: boolean): Promise<Lease> {
    const key = leaseKey(id);
    const bytes = new TextEncoder().encode(`${owner}\n`);
    if (takeOver) return new Lease(store, key, (await store.put(key, bytes)).etag);
    try {
      return new Lease(store, key, (await store.put(key, bytes, { ifAbsent: true })).etag);
    } catch (error) {
      if (!isLongwaveError(error, "store/conflict")) throw error;
      const holder = new TextDecoder().decode((await store.get(key)) ?? new Uint8Array(0)).trim();
      throw new ArchiveError(
        "archive/lease",
        `Recording ${id} is being written by ${holder || "somebody else"}; if that writer died, run repair or take its lease over.`,
      );
    }
  }

  /** Makes sure that nobody took it over. @throws ArchiveError `archive/lease` */
  async check(): Promise<void> {
    if ((await this.#store.head(this.#key))?.etag === this.#etag) return;
    throw new ArchiveError("archive/lease", `Another writer took ${this.#key} over; this one has stopped.`);
  }

  async release(): Promise<void> {
    if ((await this.#store.head(this.#key))?.etag === this.#etag) await this.#store.delete(this.#key);
  }
}
