import type { LiveIdentification, LiveMatcher } from "@longwave/catalog";
import { type ProfileId, profileOf } from "@longwave/fingerprint";
import type { StationEventBody } from "./event-log.ts";
import { framesToMs, stationChannels, stationRateHz } from "./sound.ts";
import type { SoundSink } from "./stages.ts";
import type { StationCatalog } from "./station-catalog.ts";

export interface IdentifierOptions {
  readonly catalog: StationCatalog;
  readonly onEvent: (event: StationEventBody) => void;
  /** Told of each spectral peak once it is final: its time in milliseconds of the sound, Hz, dB. */
  readonly onPeak?: (atMs: number, hz: number, decibels: number) => void;
}

/** What is playing, as far as the sound tells. */
export interface NowPlaying {
  readonly track: string;
  readonly title: string;
  /** Where in the recording the sound stood at `atMs`. */
  readonly positionMs: number;
  /** As in the catalog's match. */
  readonly score: number;
  readonly pFalse: number;
  readonly votes: number;
  /** When it was first recognised, and when last; milliseconds of the station's sound. */
  readonly sinceMs: number;
  readonly atMs: number;
}

/** Sound that a query covers: long enough to decide in noise, short enough to follow a change of song. */
const windowSeconds = 6;
/** The first query after 2 s, then one every half second. */
const firstQueryFrames = 2 * stationRateHz;
const intervalFrames = stationRateHz / 2;
/** With nothing found for 30 s, longer than a break in a programme, a query comes every 2 s: one that finds nothing costs the most. */
const idleQueries = 60;
const idleIntervalFrames = 2 * stationRateHz;
/** Queries in a row without the track before it counts as gone: 3 s. */
const missesToLeave = 6;
/** While a track plays on, the log says so every 10 s. */
const heldEveryMs = 10_000;

/**
 * Listens to the received sound and says what is playing. Fingerprints are made as the sound comes; twice a second those of
 * the last seconds are looked up, final or not. One look-up at a time: while one is under way the next is left out, never queued. A catalog that
 * is away holds up nothing: it is said once, and asked again every 2 s.
 */
export class LiveIdentifier implements SoundSink {
  readonly #onEvent: (event: StationEventBody) => void;
  readonly #options: IdentifierOptions;
  #matcher: LiveMatcher;
  #profile: ProfileId;
  readonly #mono = new Float32Array(4096);
  #receivedFrames = 0;
  /** Position of the first block; sound that is carried by a network may begin late. */
  #originFrame: number | undefined;
  #nextQuery = firstQueryFrames;
  #pending: Promise<void> | undefined;
  #now: NowPlaying | undefined;
  #misses = 0;
  #emptyQueries = 0;
  #saidMs = 0;
  #isAway = false;

  constructor(options: IdentifierOptions) {
    this.#options = options;
    this.#onEvent = options.onEvent;
    this.#profile = options.catalog.profile;
    this.#matcher = this.#newMatcher();
  }

  /** A matcher for the sound from now on. */
  #newMatcher(): LiveMatcher {
    const { catalog, onPeak } = this.#options;
    const { hopSize, sampleRate, fftSize } = profileOf(this.#profile);
    const startFrame = this.#receivedFrames;
    return catalog.live({
      sampleRate: stationRateHz,
      windowSeconds,
      ...(onPeak !== undefined && {
        onPeak: (frame: number, bin: number, decibels: number) =>
          onPeak(
            framesToMs((this.#originFrame ?? 0) + startFrame) +
              Math.floor((frame * hopSize * 1000) / sampleRate),
            (bin * sampleRate) / fftSize,
            decibels,
          ),
      }),
    });
  }

  get now(): NowPlaying | undefined {
    return this.#now;
  }

  write(block: Float32Array, startFrame: number): void {
    this.#originFrame ??= startFrame;
    const frames = block.length / stationChannels;
    const mono = this.#mono;
    if (this.#options.catalog.profile !== this.#profile) {
      // A catalog that was away from the start has been found, and is of another profile than was taken for it.
      this.#profile = this.#options.catalog.profile;
      this.#matcher = this.#newMatcher();
    }
    for (let i = 0; i < frames; i++) mono[i] = (block[2 * i]! + block[2 * i + 1]!) / 2;
    this.#matcher.push(mono, 0, frames);
    this.#receivedFrames += frames;
    if (this.#receivedFrames < this.#nextQuery) return;
    const isIdle = this.#isAway || this.#emptyQueries >= idleQueries;
    this.#nextQuery = this.#receivedFrames + (isIdle ? idleIntervalFrames : intervalFrames);
    this.#pending ??= this.#query().finally(() => {
      this.#pending = undefined;
    });
  }

  /** Waits for the look-up that is under way. */
  async settle(): Promise<void> {
    await this.#pending;
  }

  async #query(): Promise<void> {
    const atMs = framesToMs((this.#originFrame ?? 0) + this.#receivedFrames);
    let answer: LiveIdentification;
    try {
      answer = await this.#matcher.identify({ limit: 2 });
    } catch (error) {
      this.#goAway((error as Error).message, atMs);
      return;
    }
    if (this.#isAway) {
      this.#isAway = false;
      this.#onEvent({ type: "identification.returned", atMs });
    }
    this.#decide(answer, atMs);
  }

  #goAway(reason: string, atMs: number): void {
    if (this.#isAway) return;
    this.#isAway = true;
    // What plays now is not known any more.
    if (this.#now !== undefined) this.#leave(atMs);
    this.#onEvent({ type: "identification.away", reason, atMs });
  }

  #decide({ match, positionMs }: LiveIdentification, atMs: number): void {
    const current = this.#now;
    if (match === undefined || positionMs === undefined) {
      this.#emptyQueries++;
      if (current !== undefined && ++this.#misses >= missesToLeave) this.#leave(atMs);
      return;
    }
    this.#misses = 0;
    this.#emptyQueries = 0;
    const found = {
      track: match.track.id,
      title: match.track.title ?? match.track.id,
      positionMs,
      score: Math.round(match.score * 100) / 100,
      pFalse: Number(match.pFalse.toPrecision(3)),
      votes: match.votes,
    };
    if (current?.track === found.track) {
      this.#now = { ...found, sinceMs: current.sinceMs, atMs };
      if (atMs - this.#saidMs < heldEveryMs) return;
      this.#onEvent({ type: "match.held", ...found, atMs });
    } else {
      if (current !== undefined) this.#leave(atMs);
      this.#now = { ...found, sinceMs: atMs, atMs };
      this.#onEvent({ type: "match.entered", ...found, atMs });
    }
    this.#saidMs = atMs;
  }

  #leave(atMs: number): void {
    const { track, sinceMs } = this.#now!;
    this.#now = undefined;
    this.#misses = 0;
    this.#onEvent({ type: "match.left", track, heldMs: atMs - sinceMs, atMs });
  }
}
