import { ControlQueue, defaultMaxQueueSize, type Schedule, soon } from "./control-queue.ts";
import { exception, isException } from "./exceptions.ts";

export type CodecState = "unconfigured" | "configured" | "closed";

/** What both codecs are given beyond their output callback. */
export interface CodecInit {
  /** Called once where the codec closes by itself, with `EncodingError` or `NotSupportedError`. */
  readonly error: (error: DOMException) => void;
  /** Not of the standard: how work is put off; default: a microtask. Give `setImmediate` to let I/O in between. */
  readonly schedule?: Schedule;
  /** Not of the standard: calls that may wait; default 65536. */
  readonly maxQueueSize?: number;
}

/** A flush that waits for what was asked before it. */
interface PendingFlush {
  reject(error: DOMException): void;
}

/**
 * States, queue, flushes and the dequeue event, which `AudioEncoder` and `AudioDecoder` share. (WebCodecs makes both event
 * targets; that is why there is inheritance here.)
 */
export abstract class CodecBase extends EventTarget {
  /** Called when the number of waiting calls has fallen. */
  ondequeue: ((event: Event) => void) | null = null;
  readonly #error: (error: DOMException) => void;
  readonly #schedule: Schedule;
  readonly #queue: ControlQueue;
  readonly #flushes = new Set<PendingFlush>();
  #state: CodecState = "unconfigured";
  #waiting = 0;
  #dequeueScheduled = false;
  /** Grows with every reset, so that scheduled work of an earlier life does nothing. */
  #life = 0;

  protected constructor(init: CodecInit & { readonly output: unknown }) {
    super();
    if (typeof init?.output !== "function" || typeof init.error !== "function") {
      throw new TypeError("Give the callbacks output and error.");
    }
    this.#error = init.error;
    // Called plainly: browsers refuse their functions on another object.
    const schedule = init.schedule ?? soon;
    this.#schedule = (task) => schedule(task);
    this.#queue = new ControlQueue(this.#schedule, init.maxQueueSize ?? defaultMaxQueueSize);
  }

  get state(): CodecState {
    return this.#state;
  }

  /**
   * Resolves once everything asked before has been put out.
   * @throws DOMException (as a rejection) `InvalidStateError` unless configured; `AbortError` where `reset` or `close` came in
   *   between; the error that closed the codec
   */
  async flush(): Promise<void> {
    this.requireConfigured("flush");
    const life = this.#life;
    return new Promise((resolve, reject) => {
      const pending: PendingFlush = { reject };
      this.#queue.push(() => {
        if (life !== this.#life) return;
        this.guarded(() => this.drain());
        if (this.#flushes.delete(pending)) resolve();
      });
      this.#flushes.add(pending);
      this.flushAsked();
    });
  }

  /**
   * Forgets configuration and everything that waits.
   * @throws DOMException `InvalidStateError` once closed
   */
  reset(): void {
    this.requireOpen("reset");
    this.#end(exception("AbortError", "The codec was reset."));
    this.#state = "unconfigured";
  }

  /** Ends the codec for good. @throws DOMException `InvalidStateError` once closed */
  close(): void {
    this.requireOpen("close");
    this.#end(exception("AbortError", "The codec was closed."));
    this.#state = "closed";
  }

  /** Gives the codec's memory back. */
  protected abstract release(): void;

  /** Puts out what is held back. */
  protected abstract drain(): void;

  /** A flush was asked for. */
  protected flushAsked(): void {}

  protected requireOpen(call: string): void {
    if (this.#state === "closed") throw exception("InvalidStateError", `${call}: the codec is closed.`);
  }

  protected requireConfigured(call: string): void {
    if (this.#state !== "configured") {
      throw exception("InvalidStateError", `${call}: the codec is ${this.#state}, not configured.`);
    }
  }

  protected get waiting(): number {
    return this.#waiting;
  }

  /** Takes a configuration up in its turn. */
  protected configureLater(action: () => void): void {
    this.#state = "configured";
    this.#later(action);
  }

  /** Codes something in its turn. */
  protected codeLater(action: () => void): void {
    this.#later(() => {
      this.#waiting--;
      this.#announce();
      action();
    });
    this.#waiting++;
  }

  /** Runs work whose failure closes the codec. */
  protected guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(isException(error) ? error : exception("EncodingError", String(error), error));
    }
  }

  /** Calls a callback of the program; what it throws is reported, and is no failure of the codec. */
  protected emit(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      soon(() => {
        throw error;
      });
    }
  }

  /** Closes the codec and tells why. */
  protected fail(error: DOMException): void {
    if (this.#state === "closed") return;
    this.#end(error);
    this.#state = "closed";
    this.emit(() => this.#error(error));
  }

  #later(action: () => void): void {
    const life = this.#life;
    this.#queue.push(() => {
      if (life === this.#life) this.guarded(action);
    });
  }

  #end(reason: DOMException): void {
    this.#life++;
    this.#queue.clear();
    if (this.#waiting > 0) {
      this.#waiting = 0;
      this.#announce();
    }
    this.release();
    for (const { reject } of this.#flushes) reject(reason);
    this.#flushes.clear();
  }

  #announce(): void {
    if (this.#dequeueScheduled) return;
    this.#dequeueScheduled = true;
    this.#schedule(() => {
      this.#dequeueScheduled = false;
      const event = new Event("dequeue");
      this.ondequeue?.(event);
      this.dispatchEvent(event);
    });
  }
}
