import { type Clock, type Hooks, silentHooks } from "@longwave/base";
import type { EngineVoice, SpeakOptions, Speech, Tts } from "../engine/tts.ts";
import { TtsError } from "../errors.ts";

const defaultRequestTimeoutMs = 60_000;

/** Limits of a service; every field has a default. */
export interface SpeechServiceOptions {
  /** Each speaks one text at a time; one for every text that shall be spoken side by side. The service owns and closes them. */
  readonly workers: readonly Tts[];
  readonly clock: Clock;
  /** Requests that wait for a worker; default 32. More are refused with `tts/queue-full`. */
  readonly maxQueued?: number | undefined;
  /** Longest text in UTF-8 bytes; default 4096. */
  readonly maxTextBytes?: number | undefined;
  /** Longest time from asking to the last block, milliseconds; default 60,000. */
  readonly requestTimeoutMs?: number | undefined;
  readonly hooks?: Hooks | undefined;
}

/** Figures since the start; times in seconds. */
export interface SpeechStatistics {
  readonly requests: number;
  readonly errors: number;
  readonly running: number;
  readonly queued: number;
  /** Sums over finished requests: for means, and as Prometheus counters. */
  readonly spokenSeconds: number;
  readonly synthesisSeconds: number;
  readonly firstAudioSeconds: number;
  readonly finished: number;
}

/** One request that is over, for histograms and logs; times in seconds. */
export interface SpeechReport {
  /** Undefined where all was well, else the error's code (`cancelled` where it has none). */
  readonly code: string | undefined;
  readonly engine: string | undefined;
  readonly voice: string | undefined;
  readonly textLength: number;
  /** From asking to the last block, waiting included. */
  readonly seconds: number;
  /** From asking to the first block; undefined where none came. */
  readonly firstSeconds: number | undefined;
  /** Sound made. */
  readonly spokenSeconds: number;
}

/** One answered request: who speaks, and the blocks. Leaving the loop, or `cancel`, gives the place back within a block. */
export interface ServedSpeech extends AsyncIterable<Float32Array> {
  readonly engine: string;
  readonly voice: string;
  readonly sampleRate: number;
  cancel(): Promise<void>;
}

/**
 * Speech for many: as many texts at once as there are workers, a bounded queue in front of them, a time limit on each, cancellation, and
 * an orderly end. It knows nothing of HTTP.
 */
export class SpeechService {
  readonly #options: SpeechServiceOptions;
  readonly #idle: Tts[];
  readonly #waiting: { give: (tts: Tts) => void; refuse: (error: unknown) => void }[] = [];
  readonly #hooks: Hooks;
  #running = 0;
  #draining = false;
  #whenIdle: (() => void)[] = [];
  readonly #listeners: ((report: SpeechReport) => void)[] = [];
  #requests = 0;
  #errors = 0;
  #finished = 0;
  #spoken = 0;
  #synthesis = 0;
  #first = 0;

  constructor(options: SpeechServiceOptions) {
    if (options.workers.length === 0)
      throw new TtsError("tts/engine-unavailable", "The service has no workers.");
    this.#options = options;
    this.#idle = [...options.workers];
    this.#hooks = options.hooks ?? silentHooks;
  }

  get statistics(): SpeechStatistics {
    return {
      requests: this.#requests,
      errors: this.#errors,
      running: this.#running,
      queued: this.#waiting.length,
      spokenSeconds: this.#spoken,
      synthesisSeconds: this.#synthesis,
      firstAudioSeconds: this.#first,
      finished: this.#finished,
    };
  }

  /** Calls `listener` after every request, also those that failed or were refused. */
  onReport(listener: (report: SpeechReport) => void): void {
    this.#listeners.push(listener);
  }

  /** Longest time for one text, milliseconds. */
  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  }

  /** True if requests may bring a recording to speak like. */
  get canClone(): boolean {
    return this.#options.workers[0]!.canClone();
  }

  listVoices(): readonly EngineVoice[] {
    return this.#options.workers[0]!.listVoices();
  }

  /**
   * Waits for a worker and for the first block, so that errors of the request come before any answer.
   * @throws TtsError `tts/queue-full`, `tts/draining`, `tts/timeout`, `tts/text-too-long`, and what {@link Tts.speak} throws
   */
  async speak(text: string, options: SpeakOptions = {}): Promise<ServedSpeech> {
    this.#requests++;
    const { clock, maxTextBytes = 4096 } = this.#options;
    const { requestTimeoutMs } = this;
    const started = clock.nowUs();
    const stop = new AbortController();
    const onAbort = () => stop.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    const timer = clock.schedule(started + requestTimeoutMs * 1000, () => {
      stop.abort(new TtsError("tts/timeout", `The speech was not done after ${requestTimeoutMs} ms.`));
    });
    let tts: Tts | undefined;
    let hasEnded = false;
    let firstSeconds: number | undefined;
    const end = (error?: unknown, voice?: string, engine?: string, frames = 0, rateHz = 1) => {
      if (hasEnded) return;
      hasEnded = true;
      clock.cancel(timer);
      options.signal?.removeEventListener("abort", onAbort);
      const seconds = (clock.nowUs() - started) / 1e6;
      if (error !== undefined) this.#errors++;
      else {
        this.#finished++;
        this.#spoken += frames / rateHz;
        this.#synthesis += seconds;
      }
      const code = error === undefined ? undefined : codeOf(error);
      const spokenSeconds = frames / rateHz;
      const textLength = text.length;
      this.#hooks.log?.(error === undefined ? "info" : "warn", "speech", {
        voice,
        engine,
        textLength,
        seconds,
        spokenSeconds,
        code,
      });
      const report = { code, engine, voice, textLength, seconds, firstSeconds, spokenSeconds };
      for (const listener of this.#listeners) listener(report);
      if (tts !== undefined) this.#release(tts);
    };
    try {
      if (new TextEncoder().encode(text.slice(0, maxTextBytes + 1)).length > maxTextBytes) {
        throw new TtsError(
          "tts/text-too-long",
          `The text is longer than ${maxTextBytes} bytes; send it in parts.`,
        );
      }
      tts = await this.#acquire(stop.signal);
      const speech = tts.speak(text, { ...options, signal: stop.signal });
      const blocks = speech[Symbol.asyncIterator]();
      const first = await blocks.next();
      firstSeconds = (clock.nowUs() - started) / 1e6;
      this.#first += firstSeconds;
      return served(speech, blocks, first, stop, end);
    } catch (error) {
      end(error);
      throw error;
    }
  }

  /** Takes no more requests, waits up to `timeoutMs` for those that run, then closes the workers. */
  async drain(timeoutMs: number = 30_000): Promise<void> {
    this.#draining = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(drainingError());
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        const { clock } = this.#options;
        const timer = clock.schedule(clock.nowUs() + timeoutMs * 1000, resolve);
        this.#whenIdle.push(() => {
          clock.cancel(timer);
          resolve();
        });
      });
    }
    await Promise.all(this.#options.workers.map((tts) => tts.close()));
  }

  #acquire(signal: AbortSignal): Promise<Tts> {
    if (this.#draining) throw drainingError();
    signal.throwIfAborted();
    const tts = this.#idle.pop();
    if (tts !== undefined) {
      this.#running++;
      return Promise.resolve(tts);
    }
    const limit = this.#options.maxQueued ?? 32;
    if (this.#waiting.length >= limit) {
      throw new TtsError("tts/queue-full", `${limit} texts are waiting already; try again later.`);
    }
    return new Promise((resolve, reject) => {
      const place = {
        give: (worker: Tts) => {
          signal.removeEventListener("abort", leave);
          this.#running++;
          resolve(worker);
        },
        refuse: reject,
      };
      const leave = () => {
        const at = this.#waiting.indexOf(place);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(place);
    });
  }

  #release(tts: Tts): void {
    this.#running--;
    const next = this.#waiting.shift();
    if (next !== undefined) next.give(tts);
    else this.#idle.push(tts);
    if (this.#running === 0) for (const done of this.#whenIdle.splice(0)) done();
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "cancelled";
}

function drainingError(): TtsError {
  return new TtsError("tts/draining", "The service is shutting down and takes no more texts.");
}

function served(
  speech: Speech,
  blocks: AsyncIterator<Float32Array>,
  first: IteratorResult<Float32Array>,
  stop: AbortController,
  end: (error?: unknown, voice?: string, engine?: string, frames?: number, rateHz?: number) => void,
): ServedSpeech {
  const { engine, voice, sampleRate } = speech;
  let frames = 0;
  let over: Promise<void> | undefined;
  let failure: { readonly reason: unknown } | undefined;
  let ahead: IteratorResult<Float32Array> | undefined = first;
  const leave = async (error: unknown): Promise<void> => {
    try {
      // Leaving early: the engine is free before its place is given away.
      await blocks.return?.();
    } finally {
      end(error, voice, engine, frames, sampleRate);
    }
  };
  const finish = (error?: unknown): Promise<void> => (over ??= leave(error));
  // A listener that asks for nothing more must not keep the worker beyond the time limit.
  const onAbort = () => {
    if (over !== undefined) return;
    failure = { reason: stop.signal.reason };
    finish(stop.signal.reason).catch(() => {});
  };
  stop.signal.addEventListener("abort", onAbort, { once: true });
  if (stop.signal.aborted) onAbort();
  const throwIfFailed = () => {
    if (failure !== undefined) throw failure.reason;
  };
  const iterator: AsyncIterator<Float32Array> = {
    async next() {
      throwIfFailed();
      if (over !== undefined) return { done: true, value: undefined };
      try {
        const block = ahead ?? (await blocks.next());
        ahead = undefined;
        throwIfFailed();
        if (block.done) await finish();
        else frames += block.value.length;
        return block;
      } catch (cause) {
        await finish(cause);
        throw cause;
      }
    },
    async return() {
      await finish(stop.signal);
      return { done: true, value: undefined };
    },
  };
  return {
    engine,
    voice,
    sampleRate,
    [Symbol.asyncIterator]: () => iterator,
    async cancel() {
      const finished = finish(stop.signal);
      stop.abort(new TtsError("tts/closed", "The listener went away."));
      await finished;
    },
  };
}
