import { type Clock, sleepUs } from "@longwave/base";
import type { StreamMonitor } from "../answer-query.ts";
import { type AskWindow, type LiveMatcher, placedAnswer } from "../live-matcher.ts";
import { Monitor, type MonitorEvent, type MonitorOptions } from "../monitor.ts";
import type { StreamWindow } from "../stream-window.ts";
import { isAway } from "./sql-client.ts";

/** How a monitored stream goes on while its database is away. */
export interface OutageOptions {
  readonly clock: Clock;
  /** Looks that wait for the database at most, 2 or more; default 60. A look of `mark-v1` at 8 s takes 115 kB. */
  readonly mostWaiting?: number;
  /**
   * What happens when more would wait. `drop` (the default) goes on with the stream, leaves the oldest out and counts it: for live sound.
   * `wait` reads the stream no further, so that nothing is lost: for files.
   */
  readonly whenFull?: "drop" | "wait";
  /** A database that gives no answer for so long counts as away; default 10 s. */
  readonly answerSeconds?: number;
  /** Where nothing goes on without it (at the end of the stream, or with `wait`), the monitor fails after so long; default 300 s. */
  readonly patienceSeconds?: number;
}

/** First pause before a database that is away is asked again; each is twice the one before, up to the longest. */
const pausesUs = { first: 100_000, longest: 5_000_000 };

/** A look that waits for its answer: what to ask, or why there is nothing to. */
interface Look {
  readonly streamMs: number;
  readonly what: StreamWindow | "silence" | "below-threshold";
}

/**
 * A {@link Monitor} whose looks wait in a bounded queue while the database is away. They are answered in order once it is back, so that
 * what comes out is what an undisturbed stream gives, but for the looks that found no room.
 */
export class PatientMonitor implements StreamMonitor {
  readonly #live: LiveMatcher;
  readonly #ask: AskWindow;
  readonly #monitor: Monitor;
  readonly #options: MonitorOptions;
  readonly #outages: OutageOptions;
  readonly #most: number;
  readonly #waits: boolean;
  readonly #closing = new AbortController();
  readonly #looks: Look[] = [];
  #events: MonitorEvent[] = [];
  #awaySinceUs: number | undefined;
  #lostLooks = 0;
  #ending = false;
  #isAsking = false;
  #failure: { readonly error: unknown } | undefined;
  #onChange: () => void = () => {};

  constructor(live: LiveMatcher, ask: AskWindow, options: MonitorOptions, outages: OutageOptions) {
    this.#live = live;
    this.#ask = ask;
    this.#monitor = new Monitor(live, options);
    this.#options = options;
    this.#outages = outages;
    this.#most = Math.max(2, outages.mostWaiting ?? 60);
    this.#waits = outages.whenFull === "wait";
  }

  look(): Promise<MonitorEvent[]> {
    return this.#add(this.#live.window());
  }

  skip(reason: "silence" | "below-threshold"): Promise<MonitorEvent[]> {
    return this.#add(reason);
  }

  async end(): Promise<MonitorEvent[]> {
    this.#ending = true;
    await this.#until(() => this.#looks.length === 0);
    return [...this.#taken(), ...this.#monitor.end()];
  }

  /** Asks no more; what waits is forgotten. */
  close(): void {
    this.#closing.abort();
    this.#looks.length = 0;
  }

  async #add(what: Look["what"]): Promise<MonitorEvent[]> {
    this.#looks.push({ streamMs: this.#live.streamMs, what });
    if (this.#looks.length > this.#most && !this.#waits) {
      // The first is being asked.
      this.#looks.splice(1, 1);
      this.#lostLooks++;
    }
    if (!this.#isAsking) void this.#askAll();
    await this.#until(() => {
      const isAway = this.#awaySinceUs !== undefined;
      const hasRoom = this.#looks.length < this.#most || !this.#waits;
      return this.#looks.length === 0 || (isAway && hasRoom);
    });
    return this.#taken();
  }

  /** Waits for a change of the queue or of the database; rejects where asking has failed for good. */
  async #until(isReached: () => boolean): Promise<void> {
    while (this.#failure === undefined && !isReached()) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #taken(): MonitorEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Answers what waits, in order, until nothing does. */
  async #askAll(): Promise<void> {
    this.#isAsking = true;
    let pauseUs = pausesUs.first;
    try {
      for (let look = this.#looks[0]; look !== undefined; look = this.#looks[0]) {
        const events = await this.#answerTo(look);
        if (events === undefined) {
          await sleepUs(this.#outages.clock, pauseUs, this.#closing.signal);
          pauseUs = Math.min(2 * pauseUs, pausesUs.longest);
          continue;
        }
        pauseUs = pausesUs.first;
        this.#comeBack();
        this.#events.push(...events);
        this.#looks.shift();
        this.#onChange();
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failure = { error };
    } finally {
      this.#isAsking = false;
      this.#onChange();
    }
  }

  /** The events that follow from a look; undefined where the database is away. */
  async #answerTo({ what, streamMs }: Look): Promise<MonitorEvent[] | undefined> {
    if (typeof what === "string") return this.#monitor.skip(what, streamMs);
    const { clock, answerSeconds = 10, patienceSeconds = 300 } = this.#outages;
    const late = clock.schedule(clock.nowUs() + answerSeconds * 1e6, () =>
      this.#goAway(`The database gives no answer within ${answerSeconds} s.`),
    );
    try {
      const { maxFalse = 1e-5, signal } = this.#options;
      const answer = await this.#ask(what, { maxFalse, ...(signal !== undefined && { signal }) });
      return this.#monitor.take(placedAnswer(answer, streamMs));
    } catch (error) {
      if (!isAway(error)) throw error;
      this.#goAway((error as Error).message);
      const needsIt = this.#ending || (this.#waits && this.#looks.length >= this.#most);
      if (needsIt && clock.nowUs() - this.#awaySinceUs! > patienceSeconds * 1e6) throw error;
      return undefined;
    } finally {
      clock.cancel(late);
    }
  }

  #goAway(reason: string): void {
    if (this.#awaySinceUs !== undefined) return;
    this.#awaySinceUs = this.#outages.clock.nowUs();
    this.#events.push({ type: "away", atMs: this.#live.streamMs, reason });
    this.#onChange();
  }

  #comeBack(): void {
    if (this.#awaySinceUs === undefined) return;
    this.#awaySinceUs = undefined;
    this.#events.push({ type: "back", atMs: this.#live.streamMs, lostLooks: this.#lostLooks });
    this.#lostLooks = 0;
  }
}
