/** What the links did lately: samples at equal distance, oldest first, the same number for every link. */
export interface LinkHistory {
  /** Distance of two samples. */
  readonly everyMs: number;
  readonly links: readonly LinkCourse[];
}

/** Samples of one link. */
export interface LinkCourse {
  readonly id: string;
  /** Sent, in bit/s, with repeats and headers. */
  readonly sentBps: readonly number[];
  /** Measured, 0 to 1. */
  readonly loss: readonly number[];
  /** Milliseconds, null where it was not known. */
  readonly rttMs: readonly (number | null)[];
  readonly cut: readonly boolean[];
}

/** A link at one moment. */
interface Sample {
  readonly id: string;
  readonly sentBps: number;
  readonly loss: number;
  readonly rttMs: number | null;
  readonly cut: boolean;
}

/** Samples kept: five minutes at one a second. */
const kept = 300;

/** Keeps the last samples of every link, so that a plot is full when it is opened. */
export class LinkRecords {
  readonly everyMs: number;
  readonly #samples: (readonly Sample[])[] = [];

  /** @param everyMs at which distance `add` is called */
  constructor(everyMs: number) {
    this.everyMs = everyMs;
  }

  add(links: readonly Sample[]): void {
    if (this.#samples.length >= kept) this.#samples.shift();
    this.#samples.push(
      links.map(({ id, sentBps, loss, rttMs, cut }) => ({
        id,
        sentBps: Math.round(sentBps),
        loss,
        rttMs,
        cut,
      })),
    );
  }

  read(): LinkHistory {
    const newest = this.#samples.at(-1) ?? [];
    const course = <Name extends keyof Sample>(at: number, name: Name) =>
      this.#samples.map((sample) => sample[at]![name]);
    return {
      everyMs: this.everyMs,
      links: newest.map(({ id }, at) => ({
        id,
        sentBps: course(at, "sentBps"),
        loss: course(at, "loss").map((value) => Math.round(value * 1e4) / 1e4),
        rttMs: course(at, "rttMs").map((value) => (value === null ? null : Math.round(value * 10) / 10)),
        cut: course(at, "cut"),
      })),
    };
  }
}
