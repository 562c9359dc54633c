import { Archive, type RecordingInfo, timeAxis } from "@longwave/archive";
import { type Clock, isLongwaveError, type ObjectStore } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { StationError } from "../errors.ts";
import { RecentObjects } from "./recent-objects.ts";
import { WaveformPeaks } from "./waveform-peaks.ts";
import type { Delivery, WriteBehindStore } from "./write-behind-store.ts";

/** A stretch of a recording without a gap: sample frames `[startFrame, endFrame)`, the first one played at `startMs`. */
export interface ArchivedSpan {
  readonly startFrame: number;
  readonly endFrame: number;
  /** Milliseconds since the Unix epoch. */
  readonly startMs: number;
}

/** A recording as a timeline shows it. */
export interface ArchivedRecording {
  readonly info: RecordingInfo;
  /** The stream that was recorded; empty for what was imported. */
  readonly stream: string;
  /** Empty where nobody said when the recording was made. */
  readonly spans: readonly ArchivedSpan[];
}

export interface StationArchiveOptions {
  readonly clock: Clock;
  /** Recordings that ended longer ago than this are removed; default: kept for ever. Microseconds. */
  readonly keepUs?: number;
  /** Where the archive is, in words, for people. */
  readonly place: string;
  /** It goes when the station does. */
  readonly isTemporary?: boolean;
  /** What is written behind, where the store is one that may be away, from the start or later. */
  readonly delivery?: WriteBehindStore;
  /** Nobody else can be recording these streams: a lease that is left belongs to a run that crashed. Default true. */
  readonly ownsStreams?: boolean;
}

/** A recording that grows, as its writer knows it. */
export interface LiveRecording {
  /** What is published so far; undefined before anything is. */
  readonly info: () => RecordingInfo | undefined;
  readonly peaks: WaveformPeaks;
}

/** The list of recordings is read from the store at most this often: others may write into the same archive. */
const refreshUs = 60_000_000;
/** A store that was away is asked again this much later at the earliest. */
const openAgainUs = 5_000_000;
/** It is away where it gives no answer within so long. */
const openLimitUs = 10_000_000;
const keptPeaks = 8;
/** Decoded at once while an outline is made from a recording. */
const outlineFrames = 480_000;

/**
 * The archive of one or more stations: their recordings on a time axis, the outlines of the recordings, and the policy of how long
 * they are kept. A recording that cannot be read is reported and left alone; the others stay readable. An archive whose store is away from
 * the start is opened as soon as somebody asks for its recordings and the store answers.
 */
export class StationArchive {
  readonly place: string;
  readonly isTemporary: boolean;
  readonly ownsStreams: boolean;
  /** Recordings that cannot be read, with the reason. */
  readonly damaged: Map<string, string> = new Map();
  /** Streams whose recordings another station has taken over, each with the reason; this one records them no more. */
  readonly lost: Map<string, string> = new Map();
  readonly #store: RecentObjects;
  readonly #clock: Clock;
  readonly #delivery: WriteBehindStore | undefined;
  readonly #keepUs: number | undefined;
  readonly #known = new Map<string, RecordingInfo>();
  readonly #peaks = new Map<string, WaveformPeaks>();
  readonly #making = new Map<string, Promise<WaveformPeaks>>();
  readonly #live = new Map<string, LiveRecording>();
  #archive: Archive | undefined;
  /** What the store holds is known. */
  #isOpen = false;
  /** Why it could not be opened yet. */
  #unopened: StationError | undefined;
  #opening: Promise<void> | undefined;
  #openAgainUs = Number.NEGATIVE_INFINITY;
  #refreshedUs = Number.NEGATIVE_INFINITY;

  private constructor(store: ObjectStore, options: StationArchiveOptions) {
    this.#store = new RecentObjects(store);
    this.place = options.place;
    this.isTemporary = options.isTemporary ?? false;
    this.ownsStreams = options.ownsStreams ?? true;
    this.#clock = options.clock;
    this.#delivery = options.delivery;
    this.#keepUs = options.keepUs;
  }

  /**
   * A store that is away is an error where everything is written at once, and none where `delivery` waits for it.
   * @throws ArchiveError `archive/version`, `archive/metadata` where the store is something else; StoreError
   */
  static async open(store: ObjectStore, options: StationArchiveOptions): Promise<StationArchive> {
    const opened = new StationArchive(store, options);
    try {
      await opened.#open();
    } catch (error) {
      if (!isLongwaveError(error, "station/archive-away")) throw error;
    }
    return opened;
  }

  /** The archive itself. @throws StationError `station/archive-away` while its store has not answered yet */
  get archive(): Archive {
    if (this.#archive !== undefined) return this.#archive;
    throw this.#unopened;
  }

  /** How far behind the store is; undefined where everything is written at once. */
  get delivery(): Delivery | undefined {
    if (this.#unopened === undefined) return this.#delivery?.delivery;
    return { away: this.#unopened.message, pendingObjects: 0, pendingBytes: 0 };
  }

  /** Calls `listener` when the store goes away and when it has everything again. */
  onDelivery(listener: (delivery: Delivery) => void): void {
    this.#delivery?.onChange(listener);
  }

  /** Recordings that can be read, oldest first; of one stream where `stream` is given. */
  async recordings(stream?: string): Promise<ArchivedRecording[]> {
    await this.#open();
    if (this.#clock.nowUs() - this.#refreshedUs > refreshUs) {
      try {
        await this.#refresh();
      } catch (error) {
        // A store that is away has what it had.
        if (!isLongwaveError(error, "store/failed") || this.#known.size === 0) throw error;
      }
    }
    const found: ArchivedRecording[] = [];
    for (const [id, known] of this.#known) {
      // What is being written grows; everything else stays as it is.
      const info = known.state === "complete" ? known : (this.#published(id) ?? (await this.#load(id)));
      if (info === undefined) continue;
      const recording = describeRecording(info);
      if (stream === undefined || recording.stream === stream) found.push(recording);
    }
    return found.sort((a, b) => startOf(a) - startOf(b) || (a.info.id < b.info.id ? -1 : 1));
  }

  /** @throws ArchiveError `archive/not-found`, `archive/metadata` */
  async recording(id: string): Promise<ArchivedRecording> {
    const known = this.#known.get(id);
    if (known?.state === "complete") return describeRecording(known);
    return describeRecording(this.#published(id) ?? (await this.archive.info(id)));
  }

  /**
   * The outline of a recording: the one that grows with it, the stored one, or one made by decoding it in pieces; `pause` runs
   * between the pieces.
   */
  async peaks(id: string, pause: () => Promise<void> = async () => {}): Promise<WaveformPeaks> {
    const ready = this.#live.get(id)?.peaks ?? this.#peaks.get(id);
    if (ready !== undefined) return ready;
    let making = this.#making.get(id);
    if (making === undefined) {
      making = this.#loadPeaks(id, pause).finally(() => this.#making.delete(id));
      this.#making.set(id, making);
    }
    return making;
  }

  /** Tells that a recording grows: from now on it is described by its writer, without a look at the store. */
  noteLive(id: string, live: LiveRecording): void {
    const info = live.info();
    if (info !== undefined) this.#known.set(id, info);
    this.#live.set(id, live);
    this.#store.keep(recordingPrefix(id));
  }

  /** Tells that a recording grows no more: it is complete, or (`info` absent) its writer gave it up. */
  noteEnd(id: string, info?: RecordingInfo): void {
    const last = this.#live.get(id);
    this.#live.delete(id);
    this.#store.release(recordingPrefix(id));
    if (info === undefined) return;
    this.#known.set(id, info);
    if (last !== undefined) this.#keep(id, last.peaks);
  }

  /** Tells that another station has taken over what is recorded of a stream: it is not written here any more. */
  lose(stream: string, reason: string): void {
    if (!this.lost.has(stream)) this.lost.set(stream, reason);
  }

  /** Removes what a run that was killed left of a recording besides its objects; only for whoever owns its stream. */
  async sweep(id: string): Promise<void> {
    if (this.ownsStreams) await this.#store.sweep?.([recordingPrefix(id)], { alone: true });
  }

  /** The growing recording as far as it can be read; undefined before its first second. */
  #published(id: string): RecordingInfo | undefined {
    const info = this.#live.get(id)?.info();
    return info !== undefined && info.frames > 0 ? info : undefined;
  }

  /** Stores an outline beside the archive's recordings. */
  async storePeaks(id: string, peaks: WaveformPeaks): Promise<void> {
    await this.archive.store.put(peaksKey(id), peaks.encode());
  }

  /** Removes the recordings that the policy does not keep; returns their identifiers. */
  async applyPolicy(): Promise<string[]> {
    const keepUs = this.#keepUs;
    if (keepUs === undefined) return [];
    const limitMs = (this.#clock.wallUs() - keepUs) / 1000;
    const removed: string[] = [];
    for (const { info, spans } of await this.recordings()) {
      const last = spans.at(-1);
      if (info.state !== "complete" || last === undefined) continue;
      if (last.startMs + (last.endFrame - last.startFrame) / 48 >= limitMs) continue;
      await this.remove(info.id);
      removed.push(info.id);
    }
    return removed;
  }

  /** Removes a recording and its outline. @throws StationError `station/recording-in-use` while it is being written */
  async remove(id: string): Promise<void> {
    if (this.#live.has(id)) {
      throw new StationError("station/recording-in-use", "unavailable", `Recording ${id} is being written.`);
    }
    await this.archive.remove(id);
    await this.archive.store.delete(peaksKey(id));
    this.#known.delete(id);
    this.#peaks.delete(id);
  }

  close(): void {
    this.#archive?.close();
  }

  /** Looks what the store holds, unless that is known. @throws as `open`, and StationError `station/archive-away` */
  async #open(): Promise<void> {
    if (this.#isOpen) return;
    if (this.#unopened !== undefined && this.#clock.nowUs() < this.#openAgainUs) throw this.#unopened;
    this.#opening ??= this.#openNow().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async #openNow(): Promise<void> {
    const look = async () => {
      this.#archive ??= await Archive.open(this.#store, { decoder: createSeekableDecoder });
      await this.#refresh();
      this.#isOpen = true;
      this.#unopened = undefined;
    };
    try {
      await (this.#delivery === undefined ? look() : this.#inTime(look()));
    } catch (error) {
      const isAway = isLongwaveError(error, "store/failed") || isLongwaveError(error, "station/archive-away");
      if (this.#delivery === undefined || !isAway) throw error;
      this.#openAgainUs = this.#clock.nowUs() + openAgainUs;
      this.#unopened =
        error instanceof StationError
          ? error
          : new StationError("station/archive-away", "unavailable", (error as Error).message, {
              cause: error,
            });
      throw this.#unopened;
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    let late = 0;
    const limit = new Promise<never>((_, reject) => {
      late = this.#clock.schedule(this.#clock.nowUs() + openLimitUs, () => {
        const message = `The store of ${this.place} gives no answer within ${openLimitUs / 1e6} s.`;
        reject(new StationError("station/archive-away", "unavailable", message));
      });
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      this.#clock.cancel(late);
    }
  }

  async #refresh(): Promise<void> {
    this.#refreshedUs = this.#clock.nowUs();
    const present = new Set<string>();
    for await (const { key } of this.archive.store.list("rec/")) {
      const id = /^rec\/([\w-]{1,64})\/zarr\.json$/.exec(key)?.[1];
      if (id === undefined) continue;
      present.add(id);
      if (this.#known.get(id)?.state !== "complete") await this.#load(id);
    }
    for (const id of this.#known.keys()) {
      if (!present.has(id) && !this.#live.has(id)) this.#known.delete(id);
    }
  }

  async #load(id: string): Promise<RecordingInfo | undefined> {
    try {
      const info = await this.archive.info(id);
      this.#known.set(id, info);
      this.damaged.delete(id);
      return info;
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      // A recording that has just begun is not published yet.
      if (!this.#live.has(id)) this.#known.delete(id);
      if (error.code !== "archive/not-found") this.damaged.set(id, error.message);
      return undefined;
    }
  }

  async #loadPeaks(id: string, pause: () => Promise<void>): Promise<WaveformPeaks> {
    const { info } = await this.recording(id);
    const peaks = (await this.#storedPeaks(id)) ?? new WaveformPeaks();
    if ((peaks.bins + 1) * 4800 < info.frames) {
      await this.#outline(peaks, info, pause);
      if (info.state === "complete") await this.storePeaks(id, peaks).catch(() => {});
    }
    if (info.state === "complete") this.#keep(id, peaks);
    return peaks;
  }

  async #storedPeaks(id: string): Promise<WaveformPeaks | undefined> {
    const bytes = await this.archive.store.get(peaksKey(id));
    if (bytes === undefined) return undefined;
    try {
      return WaveformPeaks.decode(bytes);
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      return undefined;
    }
  }

  /** Decodes what the outline does not cover yet. */
  async #outline(peaks: WaveformPeaks, info: RecordingInfo, pause: () => Promise<void>): Promise<void> {
    const { id, channels, frames } = info;
    for (let at = Math.max(0, peaks.bins - 1) * 4800; at < frames; at += outlineFrames) {
      const to = Math.min(frames, at + outlineFrames);
      const { pcm } = await this.archive.read(id, { from: at, to });
      for (let start = at; start < to; start += 960) {
        const end = Math.min(to, start + 960);
        const piece = pcm.subarray((start - at) * channels, (end - at) * channels);
        const { peak, meanSquare } = measureBlock(piece);
        peaks.add(start, peak, meanSquare);
      }
      await pause();
    }
  }

  #keep(id: string, peaks: WaveformPeaks): void {
    if (this.#peaks.size >= keptPeaks) this.#peaks.delete(this.#peaks.keys().next().value!);
    this.#peaks.set(id, peaks);
  }
}

/** Largest absolute sample and mean square of a block. */
export function measureBlock(block: Float32Array): { peak: number; meanSquare: number } {
  let peak = 0;
  let sum = 0;
  for (let i = 0; i < block.length; i++) {
    const value = block[i]!;
    sum += value * value;
    const size = value < 0 ? -value : value;
    if (size > peak) peak = size;
  }
  return { peak, meanSquare: block.length === 0 ? 0 : sum / block.length };
}

/** Everything of a recording in the store. */
function recordingPrefix(id: string): string {
  return `rec/${id}/`;
}

function peaksKey(id: string): string {
  return `peaks/${id}`;
}

function startOf({ spans }: ArchivedRecording): number {
  return spans[0]?.startMs ?? 0;
}

/** A recording on the time axis. */
export function describeRecording(info: RecordingInfo): ArchivedRecording {
  const stream = info.metadata["stream"];
  const spans: ArchivedSpan[] = [];
  const axis = timeAxis(info);
  if (axis.known) {
    for (const { start, end, startNs } of axis.rangesBetween(-(1n << 62n), 1n << 62n)) {
      spans.push({ startFrame: start, endFrame: end, startMs: Number(startNs / 1_000_000n) });
    }
  }
  return { info, stream: typeof stream === "string" ? stream : "", spans };
}
