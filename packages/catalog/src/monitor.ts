import type { SoundClass } from "@longwave/fingerprint";
import { type MissingShard, noAnswer, type TrackMatch } from "./identification.ts";
import type { LiveIdentification, LiveMatcher } from "./live-matcher.ts";
import type { Track } from "./track.ts";

/** What a monitored stream does; times are ms from the start of the stream. */
export type MonitorEvent =
  | { readonly type: "enter"; readonly atMs: number; readonly track: Track; readonly match: TrackMatch }
  | {
      readonly type: "leave";
      readonly atMs: number;
      readonly track: Track;
      /** When the track was entered. */
      readonly enteredMs: number;
      /** The part of the track that was heard. */
      readonly referenceSpanMs: { readonly start: number; readonly end: number };
      /** How many looks confirmed it, and the least chance among them. */
      readonly confirmations: number;
      readonly pFalse: number;
    }
  | { readonly type: "unknown" | "silence"; readonly atMs: number }
  | {
      /** Of a catalog in shards: the shards that give no answer have changed; without any, all answer again. */
      readonly type: "shards";
      readonly atMs: number;
      readonly asked: number;
      readonly missing: readonly MissingShard[];
    }
  | {
      /** Samples that were NaN or infinite, in all until now: told when the first come, when their number has doubled, and at the end. */
      readonly type: "replaced";
      readonly atMs: number;
      readonly samples: number;
    }
  /** Of a catalog in a database: it cannot be reached from now on. Looks wait for it. */
  | { readonly type: "away"; readonly atMs: number; readonly reason: string }
  /** It answers again; what waited is answered next, with times of its own. Looks that found no room are lost. */
  | { readonly type: "back"; readonly atMs: number; readonly lostLooks: number };

/** Options of `Catalog.monitor`. */
export interface MonitorOptions {
  /** Time between two looks, 0.25 to 60 s; default 1. */
  readonly stepSeconds?: number;
  /** A track that is not heard for so long has left; shorter gaps are bridged. Default 6 s. */
  readonly gapSeconds?: number;
  /** As in `identify`; default 1e-5, because a long stream is asked often; a track is entered when two looks agree. */
  readonly maxFalse?: number;
  /** Classes of sound that are worth a look, for example `["music"]`; the rest of the stream is `unknown`. Default all. */
  readonly only?: readonly SoundClass[];
  readonly signal?: AbortSignal;
}

/** Positions in a track that differ by more than this between two looks belong to two plays of it. */
const jumpMs = 1500;

/** Tracks that wait to be heard a second time. */
const mostPending = 4;

interface Play {
  readonly track: Track;
  readonly enteredMs: number;
  /** Stream time minus reference time. */
  originMs: number;
  firstReferenceMs: number;
  lastReferenceMs: number;
  lastHeardMs: number;
  confirmations: number;
  pFalse: number;
}

/** True if `heard` is the same track, further on by as much as the stream. */
function continues(play: Play | undefined, heard: Play): play is Play {
  return play?.track.id === heard.track.id && Math.abs(heard.originMs - play.originMs) < jumpMs;
}

function extend(play: Play, heard: Play): void {
  play.originMs = heard.originMs;
  play.firstReferenceMs = Math.min(play.firstReferenceMs, heard.firstReferenceMs);
  play.lastReferenceMs = Math.max(play.lastReferenceMs, heard.lastReferenceMs);
  play.lastHeardMs = Math.max(play.lastHeardMs, heard.lastHeardMs);
  play.confirmations++;
  play.pFalse = Math.min(play.pFalse, heard.pFalse);
}

/** Turns the looks of a live matcher into enter and leave events. Memory is bounded, however long the stream. */
export class Monitor {
  readonly #live: LiveMatcher;
  readonly #gapMs: number;
  readonly #options: MonitorOptions;
  #play: Play | undefined;
  /** Tracks heard once since the last look that heard the one that is on, or nothing; the first heard again is entered. */
  #pending: Play[] = [];
  #lastState: "unknown" | "silence" | undefined;
  #quietSinceMs: number | undefined;
  /** Names of the shards that gave no answer last time. */
  #missing = "";
  /** Samples that were no numbers, as last told. */
  #told = 0;

  constructor(live: LiveMatcher, options: MonitorOptions) {
    this.#live = live;
    this.#options = options;
    this.#gapMs = 1000 * (options.gapSeconds ?? 6);
  }

  /** Asks what the newest seconds are; the events that follow from the answer. */
  async look(): Promise<MonitorEvent[]> {
    const { maxFalse = 1e-5, signal } = this.#options;
    return this.take(await this.#live.identify({ maxFalse, ...(signal !== undefined && { signal }) }));
  }

  /** The events that follow where the newest seconds are not worth a look. */
  skip(reason: "silence" | "below-threshold", streamMs: number = this.#live.streamMs): MonitorEvent[] {
    const queryHashes = reason === "silence" ? 0 : 1;
    return this.take({ ...noAnswer(reason), queryHashes, positionMs: undefined, streamMs });
  }

  /** The events that follow from the answer to a look. */
  take(answer: LiveIdentification): MonitorEvent[] {
    const { match, streamMs, shards } = answer;
    const events = [...this.#replaced(2 * this.#told), ...this.#shardsChanged(shards, streamMs)];
    // A look that nobody answered says nothing about what plays.
    if (shards !== undefined && shards.missing.length === shards.asked) return events;
    if (match === undefined) {
      this.#pending = [];
      if (this.#isGone(streamMs)) events.push(this.#leave());
      if (this.#play === undefined) events.push(...this.#quiet(answer.queryHashes === 0, streamMs));
      return events;
    }
    // Frames of a live query count from the start of the stream.
    const { start: heardFromMs, end: heardToMs } = match.querySpanMs;
    const originMs = heardFromMs - match.referenceSpanMs.start;
    const heard: Play = {
      track: match.track,
      enteredMs: heardFromMs,
      originMs,
      firstReferenceMs: match.referenceSpanMs.start,
      lastReferenceMs: match.referenceSpanMs.end,
      lastHeardMs: heardToMs,
      confirmations: 1,
      pFalse: match.pFalse,
    };
    if (continues(this.#play, heard)) {
      extend(this.#play, heard);
      this.#pending = [];
      return events;
    }
    const confirmed = this.#pending.find((pending) => continues(pending, heard));
    if (confirmed === undefined) {
      this.#pending = [heard, ...this.#pending.slice(0, mostPending - 1)];
      // Others are heard all the time, but none twice.
      if (this.#isGone(streamMs)) events.push(this.#leave());
      return events;
    }
    extend(confirmed, heard);
    if (this.#play !== undefined) events.push(this.#leave());
    this.#play = confirmed;
    this.#pending = [];
    this.#lastState = undefined;
    this.#quietSinceMs = undefined;
    events.push({ type: "enter", atMs: confirmed.enteredMs, track: match.track, match });
    return events;
  }

  /** True if the track that was on has not been heard for longer than a gap. */
  #isGone(streamMs: number): boolean {
    return this.#play !== undefined && streamMs - this.#play.lastHeardMs > this.#gapMs;
  }

  #shardsChanged(shards: LiveIdentification["shards"], atMs: number): MonitorEvent[] {
    // What was skipped was asked nobody.
    if (shards === undefined) return [];
    const { asked, missing } = shards;
    const names = missing.map(({ shard }) => shard).join(" ");
    if (names === this.#missing) return [];
    this.#missing = names;
    return [{ type: "shards", atMs, asked, missing }];
  }

  /** Ends the stream: the last leave, if a track is on. */
  end(): MonitorEvent[] {
    return [...this.#replaced(this.#told + 1), ...(this.#play === undefined ? [] : [this.#leave()])];
  }

  #replaced(least: number): MonitorEvent[] {
    const { replacedSamples: samples, streamMs: atMs } = this.#live;
    if (!(samples >= Math.max(1, least))) return [];
    this.#told = samples;
    return [{ type: "replaced", atMs, samples }];
  }

  /** One event when nothing has been recognised for the length of a gap, and one when silence begins or ends in it. */
  #quiet(silent: boolean, streamMs: number): MonitorEvent[] {
    const state = silent ? "silence" : "unknown";
    this.#quietSinceMs ??= streamMs;
    if (this.#lastState === state || streamMs - this.#quietSinceMs < this.#gapMs) return [];
    const atMs = this.#lastState === undefined ? this.#quietSinceMs : streamMs;
    this.#lastState = state;
    return [{ type: state, atMs }];
  }

  #leave(): MonitorEvent {
    const play = this.#play!;
    this.#play = undefined;
    this.#lastState = undefined;
    this.#quietSinceMs = undefined;
    return {
      type: "leave",
      atMs: play.lastHeardMs,
      track: play.track,
      enteredMs: play.enteredMs,
      referenceSpanMs: { start: play.firstReferenceMs, end: play.lastReferenceMs },
      confirmations: play.confirmations,
      pFalse: play.pFalse,
    };
  }
}
