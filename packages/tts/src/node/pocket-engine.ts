import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { type Hooks, silentHooks } from "@longwave/base";
import { type ModelConfig, parseModelConfig, stepsPerFrame } from "../config/model-config.ts";
import { nearNames } from "../engine/near-names.ts";
import type { SpeechEngine, SpeechRequest, VoiceInfo, VoiceRecording } from "../engine/speech-engine.ts";
import { TtsError, type TtsErrorCode, ttsErrorKinds } from "../errors.ts";
import { maxCloneSeconds } from "../model/clone-voice.ts";
import type { WeightFormat } from "../model/linear.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { planUtterance } from "../model/utterance.ts";
import { SentencePieceTokenizer } from "../text/sentencepiece-tokenizer.ts";
import { VoiceStateCache } from "../voice/voice-cache.ts";
import { isNonCommercial, type ManifestVoice, parseVoiceManifest } from "../voice/voice-manifest.ts";
import { readVoice, type VoiceState } from "../voice/voice-state.ts";
import { FileByteSource } from "./file-byte-source.ts";
import {
  labelOf,
  localPath,
  missingModel,
  openWeights,
  placeWeights,
  type WeightsPlace,
} from "./open-weights.ts";
import {
  type AudioMessage,
  type CloneMessage,
  cancelledWord,
  controlWords,
  type PocketRole,
  type PocketWorkerData,
  ringFrames,
  type SpeakMessage,
  takenWord,
} from "./pocket-protocol.ts";

/** Where the model is and how it runs. */
export interface PocketEngineOptions {
  /** The model's YAML configuration; its relative paths are relative to it. */
  readonly configPath: string;
  /** Replaces the configuration's weights. */
  readonly weightsPath?: string | undefined;
  /** Replaces the configuration's tokenizer. */
  readonly tokenizerPath?: string | undefined;
  /** The voices' manifest.json. */
  readonly voicesPath?: string | undefined;
  /** Default: the manifest's first. */
  readonly defaultVoice?: string | undefined;
  /** `auto` (default): bf16 where the file holds bfloat16, else f32. */
  readonly precision?: WeightFormat | "auto" | undefined;
  /** 2 (default): language model and decoder side by side; 1: one after the other. */
  readonly threads?: 1 | 2 | undefined;
  /** Positions of the cache; default 4096. */
  readonly capacity?: number | undefined;
  /** Bytes of loaded voices that are kept; default 256 MiB. */
  readonly voiceCacheBytes?: number | undefined;
  /** Load the encoder too, so that speech may follow a recording (44 MB more); default false. */
  readonly cloning?: boolean | undefined;
  readonly hooks?: Hooks | undefined;
}

// Workers need JavaScript: run from source (tests), the built file is used.
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/node/pocket-worker.js" : "./pocket-worker.js",
  import.meta.url,
);

/** One utterance on its way through the threads. */
interface Turn {
  readonly id: number;
  readonly frames: Float32Array[];
  done: boolean;
  error: unknown;
  wake: () => void;
}

/**
 * The native engine: Pocket TTS on our own kernels, on one or two worker threads. Speaks one utterance at a time, in the order of
 * the requests; open several engines to speak side by side.
 */
export class PocketEngine implements SpeechEngine {
  readonly name = "native";
  readonly sampleRate: number;
  readonly defaultVoice: string;
  readonly config: ModelConfig;
  readonly #options: PocketEngineOptions;
  readonly #tokenizer: SentencePieceTokenizer;
  readonly #voices: readonly ManifestVoice[];
  readonly #states: VoiceStateCache;
  readonly #workers: readonly Worker[];
  readonly #control: Int32Array;
  readonly #capacity: number;
  readonly #hooks: Hooks;
  readonly #warned = new Set<string>();
  #turn: Turn | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #cloned: ((message: AudioMessage) => void) | undefined;
  #nextId = 1;
  #failure: TtsError | undefined;
  #closed = false;

  private constructor(
    options: PocketEngineOptions,
    config: ModelConfig,
    tokenizer: SentencePieceTokenizer,
    voices: readonly ManifestVoice[],
    workers: readonly Worker[],
    control: Int32Array,
  ) {
    this.#options = options;
    this.config = config;
    this.sampleRate = config.mimi.sampleRate;
    this.#tokenizer = tokenizer;
    this.#voices = voices;
    this.#workers = workers;
    this.#control = control;
    this.#capacity = options.capacity ?? defaultCapacity;
    this.#states = new VoiceStateCache(options.voiceCacheBytes);
    this.#hooks = options.hooks ?? silentHooks;
    this.defaultVoice = options.defaultVoice ?? voices[0]?.id ?? "";
    for (const worker of workers) {
      worker.on("message", (message: AudioMessage) => this.#receive(message));
      worker.on("error", (cause) => this.#fail(`A speech thread crashed: ${cause.message}`, cause));
      worker.on("exit", (code) => {
        if (!this.#closed) this.#fail(`A speech thread ended with exit code ${code}.`);
      });
    }
  }

  /**
   * Reads configuration, tokenizer and manifest, starts the threads and waits until the weights are loaded.
   * @throws TtsError `tts/model-missing`, `tts/config-invalid`, `tts/tokenizer-unsupported`, `tts/model-malformed`,
   * `tts/model-too-large`
   */
  static async open(options: PocketEngineOptions): Promise<PocketEngine> {
    const configText = readRequired(options.configPath, "model configuration").toString("utf8");
    const config = parseModelConfig(configText, options.configPath);
    const folder = dirname(options.configPath);
    const tokenizerPath =
      options.tokenizerPath ?? localPath(folder, config.flowLm.tokenizerPath, "tokenizer_path");
    const tokenizer = new SentencePieceTokenizer(readRequired(tokenizerPath, "tokenizer"));
    if (tokenizer.size !== config.flowLm.vocabulary) {
      throw new TtsError(
        "tts/tokenizer-unsupported",
        `${tokenizerPath} has ${tokenizer.size} pieces, the configuration says ${config.flowLm.vocabulary}.`,
      );
    }
    const voices =
      options.voicesPath === undefined
        ? []
        : parseVoiceManifest(
            readRequired(options.voicesPath, "voice manifest").toString("utf8"),
            options.voicesPath,
          );
    const place = placeWeights(config, folder, options.weightsPath);
    const control = new Int32Array(new SharedArrayBuffer(controlWords * 4));
    const weights = inspectWeights(place);
    const { precision = "auto" } = options;
    const format = precision !== "auto" ? precision : weights.isBfloat16 ? "bf16" : "f32";
    if (options.cloning && !weights.hasEncoder) {
      throw new TtsError(
        "tts/cloning-unavailable",
        `${labelOf(place)} has no encoder: these are the weights without voice cloning.`,
      );
    }
    const roles: PocketRole[] = (options.threads ?? 2) === 1 ? ["both"] : ["language", "decoder"];
    const frontLayers = roles.length === 1 ? config.mimi.layers : frontLayersFor(format, config.mimi.layers);
    const frameFloats = stepsPerFrame(config) * config.mimi.width;
    const ring = new Float32Array(
      new SharedArrayBuffer(roles.length === 1 ? 0 : ringFrames * frameFloats * 4),
    );
    const workers = roles.map(
      (role) =>
        new Worker(workerUrl, {
          workerData: {
            role,
            configText,
            configLabel: options.configPath,
            weights: place,
            format,
            capacity: options.capacity ?? defaultCapacity,
            cloning: options.cloning ?? false,
            control,
            frontLayers,
            ring,
          } satisfies PocketWorkerData,
          execArgv: [],
          // Frames leave little garbage: the default of 16 MiB a half would only wait to be collected.
          resourceLimits: { maxYoungGenerationSizeMb: 4 },
        }),
    );
    try {
      await Promise.all(workers.map(ready));
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    }
    if (workers.length === 2) {
      const { port1, port2 } = new MessageChannel();
      workers[0]!.postMessage(port1, [port1]);
      workers[1]!.postMessage(port2, [port2]);
    }
    return new PocketEngine(options, config, tokenizer, voices, workers, control);
  }

  listVoices(): readonly VoiceInfo[] {
    return this.#voices.map(({ path: _, ...info }) => info);
  }

  /**
   * @throws TtsError `tts/voice-unknown`, `tts/voice-missing`, `tts/voice-mismatch`, `tts/text-too-long`, `tts/option-invalid`,
   * `tts/worker-failed`, `tts/closed`
   */
  speak(request: SpeechRequest): AsyncIterable<Float32Array> {
    if (request.recording !== undefined) return this.#speakAs(request, request.recording);
    return this.#speakAs(request, this.#loadVoice(request.voice ?? this.defaultVoice));
  }

  /** Speaks with a voice that is not in the manifest, for example one just cloned. */
  speakAs(request: SpeechRequest, voice: VoiceState): AsyncIterable<Float32Array> {
    return this.#speakAs(request, voice);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#fail("The engine was closed.");
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  get canClone(): boolean {
    return this.#options.cloning ?? false;
  }

  async *#speakAs(request: SpeechRequest, speaker: VoiceState | VoiceRecording): AsyncIterable<Float32Array> {
    const { signal } = request;
    const plan = planUtterance(
      request.text,
      this.#tokenizer,
      this.config,
      this.#capacity,
      request.seed ?? 0,
      request.sampling,
    );
    // One utterance at a time: wait for the one before.
    let release = () => {};
    const before = this.#last;
    this.#last = new Promise<void>((done) => {
      release = done;
    });
    await before;
    try {
      signal?.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      const voice = "pcm" in speaker ? await this.#clone(speaker) : speaker;
      signal?.throwIfAborted();
      yield* this.#run({ kind: "speak", id: this.#nextId++, plan, voice }, signal);
    } finally {
      release();
    }
  }

  async *#run(message: SpeakMessage, signal: AbortSignal | undefined): AsyncIterable<Float32Array> {
    const turn: Turn = { id: message.id, frames: [], done: false, error: undefined, wake: () => {} };
    this.#turn = turn;
    Atomics.store(this.#control, takenWord, 0);
    const onAbort = () => this.#cancel(turn);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#workers[0]!.postMessage(message);
    try {
      for (;;) {
        const frame = turn.frames.shift();
        signal?.throwIfAborted();
        if (frame !== undefined) {
          Atomics.add(this.#control, takenWord, 1);
          Atomics.notify(this.#control, takenWord);
          yield frame;
        } else if (turn.done) break;
        else await new Promise<void>((wake) => (turn.wake = wake));
      }
      if (turn.error !== undefined) throw turn.error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      // The listener left early: the threads are free before the next utterance starts.
      if (!turn.done) this.#cancel(turn);
      while (!turn.done) await new Promise<void>((wake) => (turn.wake = wake));
      this.#turn = undefined;
    }
  }

  /** The voice of a recording, made once and kept as long as there is room. */
  async #clone({ pcm, sampleRate }: VoiceRecording): Promise<VoiceState> {
    if (!this.canClone) {
      throw new TtsError("tts/cloning-unavailable", "This engine was opened without cloning.");
    }
    const clip = pcm.slice(0, maxCloneSeconds * sampleRate);
    const bytes = new Uint8Array(clip.buffer);
    const key = `recording:${sampleRate}:${createHash("sha256").update(bytes).digest("hex")}`;
    const known = this.#states.find(key);
    if (known !== undefined) return known;
    const answer = await new Promise<AudioMessage>((resolve) => {
      this.#cloned = resolve;
      if (this.#failure !== undefined) this.#abandonClone(this.#failure);
      else this.#workers[0]!.postMessage({ kind: "clone", pcm: clip, sampleRate } satisfies CloneMessage);
    });
    if (answer.kind === "voice-failed") throw rebuild(answer.code, answer.message);
    if (answer.kind !== "voice") throw new TtsError("tts/worker-failed", "A speech thread gave no voice.");
    return this.#states.get(key, () => answer.voice);
  }

  #abandonClone({ code, message }: TtsError): void {
    this.#cloned?.({ kind: "voice-failed", code, message });
    this.#cloned = undefined;
  }

  #cancel(turn: Turn): void {
    Atomics.store(this.#control, cancelledWord, turn.id);
    Atomics.notify(this.#control, takenWord);
    turn.wake();
  }

  #receive(message: AudioMessage): void {
    if (message.kind === "voice" || message.kind === "voice-failed") {
      this.#cloned?.(message);
      this.#cloned = undefined;
      return;
    }
    const turn = this.#turn;
    if (turn === undefined || message.kind === "ready" || message.kind === "failed" || message.id !== turn.id)
      return;
    if (message.kind === "audio") turn.frames.push(message.pcm);
    else {
      turn.done = true;
      if (message.error !== undefined) turn.error = rebuild(message.error.code, message.error.message);
      if (message.cappedChunks > 0) {
        this.#hooks.log?.(
          "warn",
          "Speech reached its longest length without an end; the text may be garbled.",
          {
            chunks: message.cappedChunks,
          },
        );
      }
    }
    turn.wake();
  }

  #fail(reason: string, cause?: unknown): void {
    this.#failure ??= new TtsError(this.#closed ? "tts/closed" : "tts/worker-failed", reason, { cause });
    this.#abandonClone(this.#failure);
    const turn = this.#turn;
    if (turn === undefined || turn.done) return;
    turn.done = true;
    turn.error = this.#failure;
    turn.wake();
  }

  #loadVoice(id: string): VoiceState {
    const voice = this.#voices.find((each) => each.id === id);
    if (this.#voices.length === 0) {
      throw new TtsError(
        "tts/voice-missing",
        `The model ${dirname(this.#options.configPath)} has no voices; add one with: longwave voice add`,
      );
    }
    if (voice === undefined) {
      const near = nearNames(
        id,
        this.#voices.map((each) => each.id),
      );
      const hint = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
      throw new TtsError(
        "tts/voice-unknown",
        `There is no voice "${id}" in ${this.#options.voicesPath}.${hint}`,
      );
    }
    if (isNonCommercial(voice.license) && !this.#warned.has(id)) {
      this.#warned.add(id);
      this.#hooks.log?.("warn", `The voice "${id}" is licensed ${voice.license}: not for commercial use.`);
    }
    const path = join(dirname(this.#options.voicesPath!), voice.path);
    return this.#states.get(path, () => readVoiceFile(path, this.config));
  }
}

const defaultCapacity = 4096;

/**
 * Where the work is divided between two threads: the convolutions and one layer of the decoder's transformer take as long as a step of the
 * 8-bit language model and the other layer. With wider weights the step alone is as long as the whole decoder.
 */
function frontLayersFor(format: WeightFormat, layers: number): number {
  return format === "int8" ? Math.floor(layers / 2) : 0;
}

/**
 * Reads a voice file into memory that threads share.
 * @throws TtsError `tts/voice-missing`, `tts/voice-mismatch`, `tts/voice-malformed`, `tts/model-malformed`
 */
export function readVoiceFile(path: string, config: ModelConfig): VoiceState {
  if (!existsSync(path)) throw new TtsError("tts/voice-missing", `The voice file ${path} is not there.`);
  const source = new FileByteSource(path);
  try {
    const share = (count: number) => new Float32Array(new SharedArrayBuffer(count * 4));
    return readVoice(SafetensorsFile.open(source, path), config, path, share);
  } finally {
    source.close();
  }
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("message", (message: AudioMessage) => {
      if (message.kind === "failed") reject(rebuild(message.code, message.message));
      else resolve();
    });
    worker.once("error", reject);
  });
}

/** The error that a thread reported, of the same class as here. */
function rebuild(code: string, message: string): TtsError {
  return new TtsError(
    Object.hasOwn(ttsErrorKinds, code) ? (code as TtsErrorCode) : "tts/worker-failed",
    message,
  );
}

function inspectWeights(place: WeightsPlace): { isBfloat16: boolean; hasEncoder: boolean } {
  const { file, close } = openWeights(place);
  const isBfloat16 = file.tensors.get("flow_lm.out_norm.weight")?.dtype === "BF16";
  const hasEncoder = file.tensors.has("mimi.encoder.model.0.conv.weight");
  close();
  return { isBfloat16, hasEncoder };
}

function readRequired(path: string, what: string): Buffer {
  if (!existsSync(path)) missingModel(path, what);
  return readFileSync(path);
}
