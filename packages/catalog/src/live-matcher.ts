import {
  createStream,
  type FingerprintStream,
  type ProfileId,
  profileOf,
  type StreamOptions,
} from "@longwave/fingerprint";
import type { Identification, IdentifyOptions } from "./identification.ts";
import { RowRing } from "./row-ring.ts";
import type { StreamWindow } from "./stream-window.ts";

/** Options of `Catalog.live`. */
export interface LiveOptions extends StreamOptions {
  /** How much of the newest sound a query covers, 2 to 120 s; default 8. */
  readonly windowSeconds?: number;
}

/** An answer about the newest sound of a stream; times and frames of the query count from the start of the stream. */
export interface LiveIdentification extends Identification {
  /** Where the stream is inside the matched track now, ms; undefined without a match. */
  readonly positionMs: number | undefined;
  /** Stream time of the newest sample, ms. */
  readonly streamMs: number;
}

/** Answers what a window is a piece of: `identify` of any catalog. */
export type AskWindow = (window: StreamWindow, options: IdentifyOptions) => Promise<Identification>;

/** The answer about a window that ended at `streamMs`. */
export function placedAnswer(answer: Identification, streamMs: number): LiveIdentification {
  const positionMs = answer.match === undefined ? undefined : streamMs + answer.match.offsetMs;
  return { ...answer, positionMs, streamMs };
}

/** Most records kept of the window; older ones leave first. */
const capacity = 1 << 15;
const noLevels = new Int8Array(0);

/**
 * Identifies a running stream: `push` extracts and keeps the hashes of the newest seconds, `identify` looks them up, together
 * with those that are not final yet (see `FingerprintStream.preview`). `push` allocates nothing; call `identify` as often as an
 * answer is wanted, about once a second.
 */
export class LiveMatcher {
  readonly #stream: FingerprintStream;
  readonly #ask: AskWindow;
  readonly #windowFrames: number;
  readonly #sampleRate: number;
  readonly #words: number;
  readonly #ring: Uint32Array;
  readonly #rows: RowRing | undefined;
  #written = 0;

  constructor(id: ProfileId, ask: AskWindow, options: LiveOptions = {}) {
    const { windowSeconds = 8, ...streamOptions } = options;
    const profile = profileOf(id);
    const seconds = Math.min(120, Math.max(2, windowSeconds));
    this.#windowFrames = Math.ceil((seconds * profile.sampleRate) / profile.hopSize);
    this.#rows = id === "mark-v1" ? new RowRing(this.#windowFrames) : undefined;
    const rows = this.#rows;
    this.#stream = createStream(id, {
      ...streamOptions,
      ...(rows !== undefined && { onWhitened: (frame, row) => rows.add(frame, row) }),
    });
    this.#ask = ask;
    this.#sampleRate = options.sampleRate ?? profile.sampleRate;
    this.#words = profile.recordWords;
    this.#ring = new Uint32Array(capacity * this.#words);
  }

  /** Takes mono samples at the rate given to `Catalog.live`. */
  push(samples: Float32Array, start = 0, end: number = samples.length): void {
    this.#stream.push(samples, this.#keep, start, end);
  }

  /** Takes the stream as ended, so that the newest sound counts too. */
  flush(): void {
    this.#stream.flush(this.#keep);
  }

  /** Stream time of the newest sample, ms. */
  get streamMs(): number {
    return Math.floor((this.#stream.samplesIn * 1000) / this.#sampleRate);
  }

  /** Length of the sound that a query covers, ms. */
  get windowMs(): number {
    const { sampleRate, hopSize } = this.#stream.profile;
    return (this.#windowFrames * hopSize * 1000) / sampleRate;
  }

  /** Samples that were NaN or infinite and counted as 0. */
  get replacedSamples(): number {
    return this.#stream.replacedSamples;
  }

  /** What the newest seconds are a piece of. */
  async identify(options: IdentifyOptions = {}): Promise<LiveIdentification> {
    const { streamMs } = this;
    return placedAnswer(await this.#ask(this.window(), options), streamMs);
  }

  /** The newest seconds, to be asked about now or later. */
  window(): StreamWindow {
    const { profile } = this.#stream;
    const { streamMs } = this;
    const nowFrame = (streamMs * profile.sampleRate) / (1000 * profile.hopSize);
    const oldest = Math.max(0, Math.floor(nowFrame) - this.#windowFrames);
    const words = this.#words;
    const query: number[] = [];
    const take = (from: Uint32Array, at: number) => {
      if (from[at + 1]! < oldest) return;
      for (let k = 0; k < words; k++) query.push(from[at + k]!);
    };
    for (let i = Math.max(0, this.#written - capacity); i < this.#written; i++) {
      take(this.#ring, (i % capacity) * words);
    }
    this.#stream.preview((early, count) => {
      for (let i = 0; i < count; i++) take(early, i * words);
    });
    const queryMs = Math.round(((nowFrame - oldest) * 1000 * profile.hopSize) / profile.sampleRate);
    const { levels, firstFrame } = this.#rows?.since(oldest) ?? { levels: noLevels, firstFrame: oldest };
    return {
      profile: profile.id,
      milliseconds: queryMs,
      records: Uint32Array.from(query),
      recordWords: words,
      firstFrame,
      levels,
    };
  }

  /** Forgets the stream, as after a cut. */
  reset(): void {
    this.#stream.reset();
    this.#rows?.reset();
    this.#written = 0;
  }

  readonly #keep = (records: Uint32Array, count: number): void => {
    const words = this.#words;
    for (let i = 0; i < count; i++) {
      const at = (this.#written++ % capacity) * words;
      for (let k = 0; k < words; k++) this.#ring[at + k] = records[i * words + k]!;
    }
  };
}
