import type { Clock } from "@longwave/base";
import type { SpeechService } from "@longwave/tts";
import { StationError } from "../errors.ts";
import { blockFrames, stationChannels, stationRateHz } from "../sound.ts";
import type { Cue, ProgrammeSource, SourceAbsence } from "../stages.ts";
import { SpokenClip } from "./spoken-clip.ts";

/** What somebody asked to be said. */
export interface SayRequest {
  readonly text: string;
  readonly voice?: string;
  readonly engine?: string;
  readonly seed?: number;
}

/** How a text that was put on air is doing. Times in milliseconds. */
export interface SpokenReport {
  readonly number: number;
  readonly text: string;
  readonly engine: string;
  readonly voice: string;
  readonly state: "waiting" | "on air" | "done" | "failed";
  /** From asking to the first sound that could be played. */
  readonly firstAudioMs: number;
  readonly lengthMs: number;
  /** Time to make it over its length; null while it is being made. */
  readonly realTimeFactor: number | null;
  readonly problem: string | null;
}

type Entry = { -readonly [key in keyof SpokenReport]: SpokenReport[key] } & { clip: SpokenClip };

/** Texts that may wait for their turn. */
const maxWaiting = 4;
const keptReports = 20;
/** Level of the programme under a voice: -14 dB, reached in 250 ms. */
const duckedGain = 0.2;
const rampPerFrame = (1 - duckedGain) / (0.25 * stationRateHz);

/**
 * Puts spoken texts over a programme: it fades down, the voice speaks as soon as its first sound is there, the programme comes back.
 * One at a time; a few may wait.
 */
export class VoiceOver implements ProgrammeSource {
  readonly #source: ProgrammeSource;
  readonly #speech: SpeechService;
  readonly #clock: Clock;
  readonly #pause: (() => Promise<void>) | undefined;
  readonly #mono = new Float32Array(blockFrames);
  readonly #entries: Entry[] = [];
  #current: Entry | undefined;
  #at = 0;
  #gain = 1;
  /** Sample frames of the voice in the last block. */
  #spoken = 0;
  #count = 0;
  #pending = 0;
  #closed = false;
  /** Told when a text goes on air, ends or fails. */
  onChange: (report: SpokenReport) => void = () => {};

  constructor(source: ProgrammeSource, speech: SpeechService, clock: Clock, pause?: () => Promise<void>) {
    this.#pause = pause;
    this.#source = source;
    this.#speech = speech;
    this.#clock = clock;
  }

  get ended(): boolean {
    return this.#source.ended;
  }

  /** Under a voice there is sound, whatever the programme does. */
  get absence(): SourceAbsence | undefined {
    return this.#spoken > 0 ? undefined : this.#source.absence;
  }

  /** The last texts, newest first. */
  get reports(): readonly SpokenReport[] {
    return this.#entries.map(({ clip: _, ...report }) => report).reverse();
  }

  /**
   * Speaks a text over the programme; resolves when its first sound is there.
   * @throws StationError `station/speech-queue-full`; TtsError for a text, voice or engine that cannot be spoken
   */
  async say({ text, voice, engine, seed }: SayRequest): Promise<SpokenReport> {
    const waiting = this.#entries.filter((entry) => entry.state === "waiting").length;
    if (waiting + this.#pending >= maxWaiting) {
      throw new StationError(
        "station/speech-queue-full",
        "unavailable",
        `${maxWaiting} texts are waiting already; try again when one has been spoken.`,
      );
    }
    const askedUs = this.#clock.nowUs();
    this.#pending++;
    try {
      const speech = await this.#speech.speak(text, { voice, engine, seed });
      const clip = new SpokenClip(speech, this.#pause);
      const entry: Entry = {
        number: ++this.#count,
        text,
        engine: clip.engine,
        voice: clip.voice,
        state: "waiting",
        firstAudioMs: Math.round((this.#clock.nowUs() - askedUs) / 1000),
        lengthMs: 0,
        realTimeFactor: null,
        problem: null,
        clip,
      };
      this.#entries.push(entry);
      if (this.#entries.length > keptReports) this.#entries.shift();
      void this.#finish(entry, askedUs);
      const { clip: _, ...report } = entry;
      return report;
    } finally {
      this.#pending--;
    }
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    const sounding = this.#source.read(block, onCue);
    if (this.#current === undefined) this.#begin();
    this.#spoken = this.#current === undefined && this.#gain >= 1 ? 0 : this.#mix(block);
    return Math.max(sounding, this.#spoken);
  }

  async settle(): Promise<void> {
    await this.#source.settle?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#source.close();
  }

  #begin(): void {
    const entry = this.#entries.find((each) => each.state === "waiting");
    if (entry === undefined || this.#closed) return;
    this.#current = entry;
    this.#at = 0;
    entry.state = "on air";
    this.#tell(entry);
  }

  #mix(block: Float32Array): number {
    const entry = this.#current;
    const goal = entry === undefined ? 1 : duckedGain;
    // The voice waits until the programme is down.
    const isDown = this.#gain <= duckedGain + rampPerFrame * blockFrames;
    const spoken = entry !== undefined && isDown ? entry.clip.read(this.#at, this.#mono) : 0;
    for (let i = 0; i < block.length / stationChannels; i++) {
      if (this.#gain < goal) this.#gain = Math.min(goal, this.#gain + rampPerFrame);
      else if (this.#gain > goal) this.#gain = Math.max(goal, this.#gain - rampPerFrame);
      const voice = i < spoken ? this.#mono[i]! : 0;
      for (let channel = 0; channel < stationChannels; channel++) {
        const at = i * stationChannels + channel;
        block[at] = block[at]! * this.#gain + voice;
      }
    }
    this.#at += spoken;
    if (entry !== undefined && isDown && entry.clip.isComplete && this.#at >= entry.clip.frames) {
      this.#current = undefined;
      if (entry.state === "on air") entry.state = "done";
      this.#tell(entry);
    }
    return spoken;
  }

  async #finish(entry: Entry, askedUs: number): Promise<void> {
    try {
      await entry.clip.done;
    } catch (error) {
      entry.state = "failed";
      entry.problem = (error as Error).message;
    }
    const madeMs = (this.#clock.nowUs() - askedUs) / 1000;
    entry.lengthMs = Math.round((entry.clip.frames * 1000) / stationRateHz);
    entry.realTimeFactor = entry.lengthMs === 0 ? null : Math.round((madeMs / entry.lengthMs) * 1000) / 1000;
  }

  #tell(entry: Entry): void {
    const { clip: _, ...report } = entry;
    this.onChange(report);
  }
}
