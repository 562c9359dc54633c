import { frameSamples, type ModelConfig } from "../config/model-config.ts";
import { TtsError } from "../errors.ts";
import type { ByteSource } from "../model/byte-source.ts";
import { cloneVoice } from "../model/clone-voice.ts";
import type { WeightFormat } from "../model/linear.ts";
import { PocketModel } from "../model/pocket-model.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { planUtterance, Utterance } from "../model/utterance.ts";
import { SentencePieceTokenizer } from "../text/sentencepiece-tokenizer.ts";
import type { VoiceState } from "../voice/voice-state.ts";
import type { SpeechEngine, SpeechRequest, VoiceInfo } from "./speech-engine.ts";

/** A voice and what it sounds like. */
export interface InlineVoice extends VoiceInfo {
  readonly state: VoiceState;
}

/** Everything that speaks, as bytes: where they come from is the caller's business. */
export interface InlineEngineOptions {
  readonly config: ModelConfig;
  /** The model's safetensors; read while opening only. */
  readonly weights: ByteSource;
  /** The SentencePiece file. */
  readonly tokenizer: Uint8Array;
  /** At least one; the first is the default. */
  readonly voices: readonly InlineVoice[];
  /** Default `f32`. */
  readonly precision?: WeightFormat | undefined;
  /** Positions of the cache; default 4096. */
  readonly capacity?: number | undefined;
  /** Load the encoder too, so that speech may follow a recording; default false. */
  readonly cloning?: boolean | undefined;
}

/**
 * The native engine on the thread that calls it: for a worker of a page, or where there are no threads. Every frame is computed when it is
 * asked for and takes some 25 ms, so a page should not run it on its main thread. One utterance at a time; a second one waits.
 *
 * @example
 * const engine = new InlineEngine({ config, weights: new MemoryByteSource(bytes), tokenizer, voices });
 * for await (const pcm of new Tts({ engines: [engine] }).speak("Hello.")) port.postMessage(pcm);
 */
export class InlineEngine implements SpeechEngine {
  readonly name = "native";
  readonly sampleRate: number;
  readonly defaultVoice: string;
  readonly canClone: boolean;
  readonly #model: PocketModel;
  readonly #file: SafetensorsFile;
  readonly #tokenizer: SentencePieceTokenizer;
  readonly #voices: readonly InlineVoice[];
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @throws TtsError `tts/model-malformed`, `tts/tokenizer-unsupported`, `tts/model-too-large`, `tts/voice-missing` */
  constructor(options: InlineEngineOptions) {
    const { config, voices, precision = "f32", capacity, cloning = false } = options;
    if (voices.length === 0) throw new TtsError("tts/voice-missing", "The engine needs at least one voice.");
    this.#tokenizer = new SentencePieceTokenizer(options.tokenizer);
    if (this.#tokenizer.size !== config.flowLm.vocabulary) {
      throw new TtsError(
        "tts/tokenizer-unsupported",
        `The tokenizer has ${this.#tokenizer.size} pieces, the configuration says ${config.flowLm.vocabulary}.`,
      );
    }
    this.#file = SafetensorsFile.open(options.weights, "the weights");
    this.#model = new PocketModel(config, this.#file, {
      format: precision,
      encoder: cloning,
      ...(capacity === undefined ? {} : { capacity }),
    });
    this.#voices = voices;
    this.sampleRate = config.mimi.sampleRate;
    this.defaultVoice = voices[0]!.id;
    this.canClone = cloning;
  }

  listVoices(): readonly VoiceInfo[] {
    return this.#voices.map(({ state: _, ...info }) => info);
  }

  async *speak(request: SpeechRequest): AsyncIterable<Float32Array> {
    const { signal, recording, sampling, seed = 0 } = request;
    let release = () => {};
    const before = this.#last;
    this.#last = new Promise<void>((done) => {
      release = done;
    });
    await before;
    try {
      signal?.throwIfAborted();
      if (this.#closed) throw new TtsError("tts/closed", "The engine was closed.");
      const model = this.#model;
      const { core, decoder, flowLm, config } = model;
      const plan = planUtterance(request.text, this.#tokenizer, config, model.capacity, seed, sampling);
      const voice =
        recording === undefined
          ? this.#voice(request.voice ?? this.defaultVoice)
          : cloneVoice(model, this.#file, recording.pcm, recording.sampleRate);
      const utterance = new Utterance(model, plan, voice);
      while (utterance.next()) {
        if (utterance.isChunkStart) decoder.reset(core);
        core.copy(decoder.latent, flowLm.latent, config.mimi.latentDim * 4);
        decoder.decode(core);
        yield core.floats(decoder.audio, frameSamples(config)).slice();
        signal?.throwIfAborted();
      }
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #voice(id: string): VoiceState {
    const voice = this.#voices.find((each) => each.id === id);
    if (voice === undefined) throw new TtsError("tts/voice-unknown", `There is no voice "${id}".`);
    return voice.state;
  }
}
