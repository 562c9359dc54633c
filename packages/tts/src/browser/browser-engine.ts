import type { SpeechEngine, SpeechRequest, VoiceInfo } from "../engine/speech-engine.ts";
import { TtsError, type TtsErrorCode, ttsErrorKinds } from "../errors.ts";
import type { WeightFormat } from "../model/linear.ts";
import type { EngineMessage, PlainError, PlainRequest, WorkerMessage } from "./browser-protocol.ts";

/** Where the model is and how it runs. */
export interface BrowserEngineOptions {
  /** Address of a model's folder as `longwave model download` writes it: config.yaml, model.safetensors, tokenizer.model, voices/. */
  readonly modelUrl: string;
  /** Voices of the manifest to load, the default first; default the manifest's first alone. */
  readonly voices?: readonly string[] | undefined;
  /** Default `int8`: 256 MB less than `f32`. */
  readonly precision?: WeightFormat | undefined;
  /** Load the encoder too, so that speech may follow a recording; default false. */
  readonly cloning?: boolean | undefined;
  /** Name of the store in the origin's private file system, or false to fetch every time; default `longwave-models`. */
  readonly store?: string | false | undefined;
  readonly onProgress?: (file: string, doneBytes: number, totalBytes: number | undefined) => void;
  /** The worker, where a bundler does not find it by itself: a module worker of `@longwave/tts/browser/worker`. */
  readonly worker?: Worker | undefined;
}

/** One speech as the page sees it. */
interface Turn {
  readonly frames: Float32Array[];
  isDone: boolean;
  error: TtsError | undefined;
  wake: () => void;
}

/**
 * The native engine in a worker of the page: the page's thread stays free, the weights are kept in the origin's file system. One utterance at a
 * time, in the order of the requests.
 *
 * @example
 * const engine = await BrowserEngine.open({ modelUrl: "/models/english/" });
 * const tts = new Tts({ engines: [engine] });
 * const player = await SpeechPlayer.open(engine.sampleRate);
 * await player.play(tts.speak("Good evening."));
 */
export class BrowserEngine implements SpeechEngine {
  readonly name = "native";
  readonly sampleRate: number;
  readonly defaultVoice: string;
  readonly canClone: boolean;
  readonly #worker: Worker;
  readonly #voices: readonly VoiceInfo[];
  readonly #turns = new Map<number, Turn>();
  #nextId = 1;
  #failure: TtsError | undefined;

  private constructor(
    worker: Worker,
    opened: Extract<WorkerMessage, { kind: "opened" }>,
    options: BrowserEngineOptions,
  ) {
    this.#worker = worker;
    this.sampleRate = opened.sampleRate;
    this.defaultVoice = opened.defaultVoice;
    this.#voices = opened.voices;
    this.canClone = options.cloning ?? false;
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => this.#receive(data);
    worker.onerror = (event) =>
      this.#fail(new TtsError("tts/worker-failed", `The speech worker crashed: ${event.message}`));
  }

  /**
   * Starts the worker, fetches what is not stored yet, and waits until the weights are loaded.
   * @throws TtsError `tts/download-failed`, `tts/config-invalid`, `tts/model-malformed`, `tts/tokenizer-unsupported`, `tts/voice-unknown`,
   * `tts/worker-failed`
   */
  static async open(options: BrowserEngineOptions): Promise<BrowserEngine> {
    const { store = "longwave-models", precision = "int8", cloning = false, voices } = options;
    const worker =
      options.worker ?? new Worker(new URL("./speech-worker.js", import.meta.url), { type: "module" });
    const folder = options.modelUrl.endsWith("/") ? options.modelUrl : `${options.modelUrl}/`;
    const modelUrl = new URL(folder, globalThis.location?.href).href;
    const message: EngineMessage = {
      kind: "open",
      modelUrl,
      voices,
      precision,
      cloning,
      store: store === false ? undefined : store,
    };
    try {
      const opened = await new Promise<Extract<WorkerMessage, { kind: "opened" }>>((resolve, reject) => {
        worker.onerror = (event) =>
          reject(new TtsError("tts/worker-failed", `The speech worker cannot start: ${event.message}`));
        worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
          if (data.kind === "progress") options.onProgress?.(data.file, data.done, data.total);
          else if (data.kind === "opened") resolve(data);
          else if (data.kind === "failed") reject(rebuild(data.error));
        };
        worker.postMessage(message);
      });
      return new BrowserEngine(worker, opened, options);
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  listVoices(): readonly VoiceInfo[] {
    return this.#voices;
  }

  /** @throws TtsError what {@link InlineEngine.speak} throws; `tts/worker-failed`, `tts/closed` */
  async *speak({ signal, ...request }: SpeechRequest): AsyncIterable<Float32Array> {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId++;
    const turn: Turn = { frames: [], isDone: false, error: undefined, wake: () => {} };
    this.#turns.set(id, turn);
    const onAbort = () => turn.wake();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#post({ kind: "speak", id, request: request satisfies PlainRequest });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const frame = turn.frames.shift();
        if (frame !== undefined) {
          this.#post({ kind: "taken", id });
          yield frame;
        } else if (turn.isDone) break;
        else {
          await new Promise<void>((wake) => {
            turn.wake = wake;
          });
        }
      }
      if (turn.error !== undefined) throw turn.error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (!turn.isDone) this.#post({ kind: "cancel", id });
      this.#turns.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#fail(new TtsError("tts/closed", "The engine was closed."));
    this.#worker.terminate();
  }

  #post(message: EngineMessage): void {
    this.#worker.postMessage(message);
  }

  #receive(message: WorkerMessage): void {
    if (message.kind !== "audio" && message.kind !== "end") return;
    const turn = this.#turns.get(message.id);
    if (turn === undefined) return;
    if (message.kind === "audio") turn.frames.push(message.pcm);
    else {
      turn.isDone = true;
      if (message.error !== undefined) turn.error = rebuild(message.error);
    }
    turn.wake();
  }

  #fail(failure: TtsError): void {
    this.#failure ??= failure;
    for (const turn of this.#turns.values()) {
      turn.isDone = true;
      turn.error = this.#failure;
      turn.wake();
    }
  }
}

/** The worker's error, of the same class as here. */
function rebuild({ code, message }: PlainError): TtsError {
  return new TtsError(
    Object.hasOwn(ttsErrorKinds, code) ? (code as TtsErrorCode) : "tts/worker-failed",
    message,
  );
}
