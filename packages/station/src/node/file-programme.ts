import { basename, extname } from "node:path";
import { decodeAudioFile } from "@longwave/media/node";
import { StationError } from "../errors.ts";
import type { StationEventBody } from "../event-log.ts";
import { type NextItem, Programme, type ProgrammeItem } from "../programme.ts";
import { fingerprintSlowly } from "../slow-fingerprint.ts";
import { stationChannels, stationRateHz } from "../sound.ts";
import type { Cue, ProgrammeSource } from "../stages.ts";
import type { StationCatalog } from "../station-catalog.ts";
import { fileDecoders } from "./file-decoders.ts";

export interface FileProgrammeOptions {
  readonly catalog: StationCatalog;
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal;
}

interface PlayableFile {
  readonly path: string;
  readonly detail: string;
  /** In the catalog, as `longwave id enroll` names it; default the file's name. */
  readonly id?: string;
}

/** Longest file that is played: its sound is held in memory, 23 MB a minute. */
const maxSeconds = 30 * 60;
/** Shorter ones would follow one another faster than a listener, or an event log, can take in. */
const minFrames = stationRateHz;
/** With nothing but failures behind it, the programme gives up after this many files in a row. */
const maxFailuresInRow = 100;

/**
 * Plays files in turn, for ever. While one plays the next is decoded and, the first time, enrolled; a file that cannot be
 * played is reported and left out; one that cannot be enrolled plays all the same, and is enrolled when it plays again.
 */
export class FileProgramme implements ProgrammeSource {
  readonly #files: readonly PlayableFile[];
  readonly #options: FileProgrammeOptions;
  readonly #programme: Programme;
  readonly #enrolled = new Set<string>();
  readonly #early: StationEventBody[] = [];
  #tell: (event: StationEventBody) => void = (event) => void this.#early.push(event);
  #index = 0;
  #prepared: ProgrammeItem | undefined;
  #preparing = false;
  #exhausted = false;

  constructor(files: readonly PlayableFile[], options: FileProgrammeOptions) {
    this.#files = files;
    this.#options = options;
    this.#programme = new Programme(() => this.#next());
  }

  get ended(): boolean {
    return this.#programme.ended;
  }

  /** Hands over what is reported, also what was before. */
  onEvents(take: (event: StationEventBody) => void): void {
    this.#tell = take;
    for (const event of this.#early.splice(0)) take(event);
  }

  /** Decodes and enrolls the first file that can be played. @throws MediaError of the only file, StationError of many */
  async prepareFirst(): Promise<void> {
    let failure: unknown;
    for (const file of this.#files) {
      this.#index++;
      try {
        this.#prepared = await this.#open(file);
        return;
      } catch (error) {
        this.#options.signal.throwIfAborted();
        failure = error;
        if (this.#files.length > 1) this.#report(file, error);
      }
    }
    if (this.#files.length === 1) throw failure;
    throw new StationError(
      "station/no-audio",
      "malformed",
      `None of the ${this.#files.length} files can be played; the last: ${(failure as Error).message}`,
      {
        cause: failure,
      },
    );
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    return this.#programme.read(block, onCue);
  }

  close(): Promise<void> {
    return this.#programme.close();
  }

  #next(): NextItem {
    if (this.#exhausted) return "end";
    const item = this.#prepared;
    this.#prepared = undefined;
    void this.#prepareNext();
    return item ?? "later";
  }

  async #prepareNext(): Promise<void> {
    if (this.#preparing || this.#prepared !== undefined) return;
    this.#preparing = true;
    for (let failures = 0; this.#prepared === undefined && !this.#options.signal.aborted; ) {
      const file = this.#files[this.#index++ % this.#files.length]!;
      try {
        this.#prepared = await this.#open(file);
      } catch (error) {
        if (this.#options.signal.aborted) break;
        this.#report(file, error);
        if (++failures >= Math.min(this.#files.length, maxFailuresInRow)) {
          this.#exhausted = true;
          break;
        }
      }
    }
    this.#preparing = false;
  }

  async #open({ path, detail, id: name = basename(path) }: PlayableFile): Promise<ProgrammeItem> {
    const { signal } = this.#options;
    const { pcm } = await decodeAudioFile(path, {
      sampleRate: stationRateHz,
      channels: stationChannels,
      decoders: fileDecoders,
      limits: { maxSeconds },
      signal,
    });
    if (pcm.length < minFrames * stationChannels) {
      throw new StationError(
        "station/too-short",
        "malformed",
        `${path} holds less than a second of sound; name a longer recording.`,
      );
    }
    const id = name.slice(-200);
    const title = basename(path, extname(path));
    if (!this.#enrolled.has(id)) await this.#enroll(id, title, pcm);
    const read = reader(pcm);
    return {
      cue: { item: "file", id, title, detail, lengthFrames: pcm.length / stationChannels },
      read: (block, startFrame) => read(block.subarray(startFrame * stationChannels)),
    };
  }

  async #enroll(id: string, title: string, pcm: Float32Array): Promise<void> {
    const { catalog, pause, signal } = this.#options;
    if (catalog.isReadOnly || catalog.away !== undefined) return;
    try {
      const fingerprint = await fingerprintSlowly(catalog.profile, reader(pcm), { pause, signal });
      // What was enrolled with more than a title keeps it.
      const known = await catalog.get(id);
      const metadata = {
        id,
        title: known?.title ?? title,
        ...(known?.artist !== undefined && { artist: known.artist }),
        ...(known?.extra !== undefined && { extra: known.extra }),
      };
      await catalog.enroll(metadata, fingerprint, { replace: true });
      this.#enrolled.add(id);
      const records = fingerprint.records.length / fingerprint.recordWords;
      this.#tell({ type: "catalog.enrolled", track: id, title, records });
    } catch (error) {
      signal.throwIfAborted();
      this.#tell({ type: "catalog.failed", track: id, reason: (error as Error).message });
    }
  }

  #report({ path }: PlayableFile, error: unknown): void {
    // The event names the file already.
    const reason = (error as Error).message.replace(`${path}: `, "");
    this.#tell({ type: "input.failed", input: path, reason });
  }
}

/** Reads interleaved sound from its beginning to its end. */
function reader(pcm: Float32Array): (block: Float32Array) => number {
  let at = 0;
  return (block) => {
    const count = Math.min(block.length, pcm.length - at);
    block.set(pcm.subarray(at, at + count));
    at += count;
    return count / stationChannels;
  };
}
