import { type Clock, sleepUs } from "@longwave/base";
import type { Fingerprint } from "@longwave/fingerprint";
import type { StationCatalog } from "../station-catalog.ts";
import { enrollRepertoire } from "./enroll-repertoire.ts";
import type { Score } from "./score.ts";

export interface PatientEnrolmentOptions {
  readonly repertoire: readonly Score[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called again and again until it succeeds. */
  readonly catalog: Pick<StationCatalog, "profile" | "enroll">;
  /** Likewise. */
  readonly fingerprint: (score: Score) => Promise<Fingerprint>;
  readonly onEnrolled: (score: Score, records: number) => void;
  /** Told once of a song that cannot be enrolled, however often it is tried. */
  readonly onFailure: (score: Score, reason: string) => void;
}

/** The pause after a failure, doubled after each further one up to the longest. */
const firstPauseUs = 1_000_000;
const longestPauseUs = 30_000_000;

/**
 * Enrolls a repertoire whatever comes in between, such as a disk that is full for a while: what fails is tried again after 1 s, 2 s, 4 s and
 * so on up to 30 s.
 */
export class PatientEnrolment {
  readonly #options: PatientEnrolmentOptions;
  #enrolled = 0;
  #failure: string | undefined;

  constructor(options: PatientEnrolmentOptions) {
    this.#options = options;
  }

  /** Songs that are enrolled. */
  get enrolled(): number {
    return this.#enrolled;
  }

  /** Why the next song cannot be enrolled just now, in words; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Ends when every song is enrolled. @throws the signal's reason, or what failed while it was aborted */
  async run(): Promise<void> {
    const { repertoire, signal, catalog, fingerprint, onEnrolled } = this.#options;
    const next = () => repertoire[this.#enrolled]!;
    const patient: Pick<StationCatalog, "profile" | "enroll"> = {
      get profile() {
        return catalog.profile;
      },
      enroll: (...track) => this.#untilDone(next(), () => catalog.enroll(...track)),
    };
    await enrollRepertoire(patient, repertoire, {
      signal,
      fingerprint: (score) => this.#untilDone(score, () => fingerprint(score)),
      onEnrolled: (score, records) => {
        this.#enrolled++;
        onEnrolled(score, records);
      },
    });
  }

  async #untilDone<T>(score: Score, work: () => Promise<T>): Promise<T> {
    const { clock, signal, onFailure } = this.#options;
    for (let pauseUs = firstPauseUs; ; pauseUs = Math.min(2 * pauseUs, longestPauseUs)) {
      try {
        const done = await work();
        this.#failure = undefined;
        return done;
      } catch (error) {
        if (signal.aborted) throw error;
        const reason = (error as Error).message;
        if (this.#failure === undefined) onFailure(score, reason);
        this.#failure = reason;
      }
      await sleepUs(clock, pauseUs, signal);
    }
  }
}
