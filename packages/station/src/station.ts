import type { Clock, Hooks } from "@longwave/base";
import type { Listener, ReaderLosses } from "./byte-queue.ts";
import { StationError } from "./errors.ts";
import { EventLog, type StationEventBody } from "./event-log.ts";
import { LevelMeter } from "./level-meter.ts";
import { defaultListenerLimits, type ListenerLimits, Listeners } from "./listeners.ts";
import { LiveIdentifier, type NowPlaying } from "./live-identifier.ts";
import { blockFrames, blockUs, framesToMs, stationChannels, stationRateHz } from "./sound.ts";
import type { Cue, ProgrammeSource, SoundPath, SoundSink, SourceAbsence } from "./stages.ts";
import type { StationCatalog } from "./station-catalog.ts";

/** The parts that a station is put together from. */
export interface StationParts {
  /** Lower-case letters, digits and `-`, at most 64. */
  readonly id: string;
  /** What plays, in words, for the log. */
  readonly programme: string;
  readonly clock: Clock;
  readonly source: ProgrammeSource;
  readonly path: SoundPath;
  /** What received sound is looked up in. */
  readonly catalog: StationCatalog;
  readonly limits?: ListenerLimits;
  readonly hooks?: Hooks;
  /** Told of each spectral peak of the received sound, see {@link LiveIdentifier}. */
  readonly onPeak?: (atMs: number, hz: number, decibels: number) => void;
  /** Further ears for the received sound. */
  readonly sinks?: readonly SoundSink[];
  /** Told of each block that is silence only because the source had nothing, before the path gets it. */
  readonly onAbsence?: (startFrame: number, reason: SourceAbsence) => void;
  /** Called when the station goes off air, before it says so: for what still has something to say, such as a recorder. */
  readonly beforeStopped?: () => Promise<void>;
}

/** What a station is doing. */
export interface StationStatus {
  readonly id: string;
  readonly programme: string;
  readonly running: boolean;
  readonly playedMs: number;
  /** How far the received sound reaches: what is missing to `playedMs` is on its way. */
  readonly receivedMs: number;
  readonly onAir: (Cue & { readonly positionMs: number }) | undefined;
  readonly heard: NowPlaying | undefined;
  readonly listeners: number;
  /** What listeners to the decoded sound missed because they were too slow. */
  readonly listenerLosses: ReaderLosses;
  readonly peak: number;
}

/** Behind by more than this the station gives the time up instead of rushing after it. */
const maxLagUs = 1_000_000;

/**
 * A station on air: every 20 ms a block goes from the programme over the path to everybody who listens. All time comes from
 * the clock, so the same station runs in real and in virtual time.
 *
 * @example
 * const station = new Station({ id: "studio-1", clock, source, path, catalog, ... });
 * station.start();
 * const listener = station.listen();
 * for (let pcm = await listener.next(); pcm !== undefined; pcm = await listener.next()) write(pcm);
 */
export class Station {
  readonly id: string;
  readonly log: EventLog;
  readonly #parts: StationParts;
  readonly #block = new Float32Array(blockFrames * stationChannels);
  readonly #listeners: Listeners;
  readonly #identifier: LiveIdentifier;
  readonly #meter: LevelMeter;
  readonly #sinks: readonly SoundSink[];
  #timer: number | undefined;
  #nextBlockUs = 0;
  #position = 0;
  /** Sample frames that came out of the path. */
  #received = 0;
  /** Monotonic time at which sample frame 0 was played, or would have been but for time that was given up since. */
  #originUs = 0;
  #onAir: { cue: Cue; startFrame: number } | undefined;
  #endSaid = false;
  #stopped = false;
  #closed = false;

  constructor(parts: StationParts) {
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(parts.id)) {
      throw new StationError(
        "station/bad-option",
        "usage",
        `${JSON.stringify(parts.id)} is no station id: use lower-case letters, digits and "-".`,
      );
    }
    this.id = parts.id;
    this.#parts = parts;
    this.log = new EventLog(parts.clock);
    const say = (event: StationEventBody) => void this.log.append(event);
    this.#listeners = new Listeners(parts.limits ?? defaultListenerLimits);
    this.#meter = new LevelMeter(say);
    this.#identifier = new LiveIdentifier({
      catalog: parts.catalog,
      onEvent: say,
      ...(parts.onPeak === undefined ? {} : { onPeak: parts.onPeak }),
    });
    this.#sinks = [this.#meter, this.#identifier, ...(parts.sinks ?? []), this.#listeners];
    parts.path.onReceive((block, startFrame) => {
      this.#received = startFrame + blockFrames;
      for (const sink of this.#sinks) sink.write(block, startFrame);
    });
  }

  /** Goes on air now. */
  start(): void {
    if (this.#closed)
      throw new StationError("station/closed", "usage", `Station ${this.id} is closed; make a new one.`);
    if (this.#timer !== undefined) return;
    const { clock, id, programme, catalog } = this.#parts;
    this.log.append({ type: "station.started", station: id, programme, profile: catalog.profile });
    this.#nextBlockUs = clock.nowUs() + blockUs;
    this.#originUs = this.#nextBlockUs;
    this.#arm();
  }

  /** When a sample frame was played, on the clock's monotonic time. Exact for what was played since the clock last slipped. */
  playedAtUs(startFrame: number): number {
    return this.#originUs + Math.round((startFrame * 1e6) / stationRateHz);
  }

  /** Plays no further block; what is on its way still arrives. Only `close` may follow. */
  stop(): void {
    if (this.#timer !== undefined) this.#parts.clock.cancel(this.#timer);
    this.#timer = undefined;
    this.#stopped = true;
  }

  /** Takes a place among the listeners. @throws StationError `station/too-many-listeners` */
  listen(): Listener {
    return this.#listeners.join();
  }

  status(): StationStatus {
    const onAir = this.#onAir;
    return {
      id: this.id,
      programme: this.#parts.programme,
      running: this.#timer !== undefined,
      playedMs: framesToMs(this.#position),
      receivedMs: framesToMs(this.#received),
      onAir: onAir && { ...onAir.cue, positionMs: framesToMs(this.#position - onAir.startFrame) },
      heard: this.#identifier.now,
      listeners: this.#listeners.count,
      listenerLosses: this.#listeners.losses,
      peak: this.#meter.peak,
    };
  }

  /** Waits for the work that the last block started. A virtual run does so before it moves its clock on. */
  async settle(): Promise<void> {
    await this.#parts.source.settle?.();
    await this.#identifier.settle();
  }

  /** Goes off air, lets the listeners go, closes source and path. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    await this.settle();
    await this.#parts.beforeStopped?.();
    this.log.append({ type: "station.stopped", playedMs: framesToMs(this.#position) });
    this.#listeners.close();
    await this.#parts.source.close();
    await this.#parts.path.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #arm(): void {
    this.#timer = this.#parts.clock.schedule(this.#nextBlockUs, () => this.#tick());
  }

  /** Plays every block that is due: one, or a few after a hiccup. */
  #tick(): void {
    const nowUs = this.#parts.clock.nowUs();
    if (nowUs - this.#nextBlockUs > maxLagUs) {
      const skipped = Math.floor((nowUs - this.#nextBlockUs) / blockUs);
      this.#nextBlockUs += skipped * blockUs;
      this.#originUs += skipped * blockUs;
      this.log.append({ type: "clock.slipped", skippedMs: (skipped * blockUs) / 1000 });
    }
    while (this.#nextBlockUs <= nowUs && !this.#stopped) {
      this.#playBlock();
      this.#nextBlockUs += blockUs;
    }
    if (!this.#stopped) this.#arm();
  }

  #playBlock(): void {
    const { source, path } = this.#parts;
    const start = this.#position;
    source.read(this.#block, this.#onCue);
    if (source.ended && !this.#endSaid) {
      this.#endSaid = true;
      this.#onAir = undefined;
      this.log.append({ type: "programme.ended", atMs: framesToMs(start) });
    }
    if (source.absence !== undefined) this.#parts.onAbsence?.(start, source.absence);
    this.#position += blockFrames;
    path.send(this.#block, start);
  }

  readonly #onCue = (cue: Cue, frameInBlock: number): void => {
    const startFrame = this.#position + frameInBlock;
    this.#onAir = { cue, startFrame };
    this.log.append({
      type: "programme.started",
      item: cue.item,
      id: cue.id,
      title: cue.title,
      detail: cue.detail,
      lengthMs: cue.lengthFrames === undefined ? null : framesToMs(cue.lengthFrames),
      atMs: framesToMs(startFrame),
    });
  };
}
