import type { SpeechService } from "@longwave/tts";
import { type NextItem, Programme, type ProgrammeItem } from "../programme.ts";
import { stationChannels } from "../sound.ts";
import type { Cue, ProgrammeSource } from "../stages.ts";
import { SpokenClip } from "./spoken-clip.ts";

export interface AnnouncedProgrammeOptions {
  /** The items between which is spoken; never "later". */
  readonly next: () => ProgrammeItem | "end";
  readonly speech: SpeechService;
  /** Waits for what `next` prepares. */
  readonly settle?: () => Promise<void>;
  /** What is said between two items. */
  readonly words?: (before: Cue, after: Cue) => string;
  readonly voice?: string;
  readonly pause?: () => Promise<void>;
  /** Told when an announcement could not be spoken; the next item then follows at once. */
  readonly onFailure?: (reason: string) => void;
}

/**
 * A programme with an announcement between its items. The announcement is spoken while the item before it plays; one that is not
 * ready in time, or fails, is left out.
 */
export class AnnouncedProgramme implements ProgrammeSource {
  readonly #options: AnnouncedProgrammeOptions;
  readonly #programme: Programme;
  #upcoming: ProgrammeItem | "end" | undefined;
  #announcement: ProgrammeItem | undefined;
  #preparing: Promise<void> | undefined;
  #count = 0;

  constructor(options: AnnouncedProgrammeOptions) {
    this.#options = options;
    this.#programme = new Programme(() => this.#next());
  }

  get ended(): boolean {
    return this.#programme.ended;
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    return this.#programme.read(block, onCue);
  }

  async settle(): Promise<void> {
    await this.#options.settle?.();
    await this.#preparing;
  }

  close(): Promise<void> {
    return this.#programme.close();
  }

  #next(): NextItem {
    const announcement = this.#announcement;
    this.#announcement = undefined;
    if (announcement !== undefined) return announcement;
    const item = this.#upcoming ?? this.#options.next();
    if (item === "end") return "end";
    this.#upcoming = this.#options.next();
    // A jingle speaks for itself.
    if (this.#upcoming !== "end" && this.#upcoming.cue.item !== "jingle" && item.cue.item !== "jingle") {
      this.#preparing = this.#prepare(item.cue, this.#upcoming.cue).finally(() => {
        this.#preparing = undefined;
      });
    }
    return item;
  }

  async #prepare(before: Cue, after: Cue): Promise<void> {
    const { speech, words = defaultWords, voice, pause, onFailure } = this.#options;
    const text = words(before, after);
    try {
      const clip = new SpokenClip(await speech.speak(text, { voice, seed: ++this.#count }), pause);
      await clip.done;
      this.#announcement = clipItem(clip, `announcement-${this.#count}`, text);
    } catch (error) {
      onFailure?.((error as Error).message);
    }
  }
}

function defaultWords(before: Cue, after: Cue): string {
  return `That was ${before.title}. And now: ${after.title}.`;
}

/** A complete clip as an item, the same on both channels. */
function clipItem(clip: SpokenClip, id: string, text: string): ProgrammeItem {
  let at = 0;
  let mono = new Float32Array(0);
  return {
    cue: {
      item: "announcement",
      id,
      title: text,
      detail: `${clip.engine}, voice ${clip.voice}`,
      lengthFrames: clip.frames,
    },
    read(block, startFrame) {
      const room = block.length / stationChannels - startFrame;
      if (mono.length !== room) mono = new Float32Array(room);
      const frames = clip.read(at, mono);
      for (let i = 0; i < frames; i++) {
        const value = mono[i]!;
        block[(startFrame + i) * stationChannels] = value;
        block[(startFrame + i) * stationChannels + 1] = value;
      }
      at += frames;
      return frames;
    },
  };
}
