import { type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import type { SpeechEngine, SpeechRequest, VoiceInfo } from "../engine/speech-engine.ts";
import { TtsError } from "../errors.ts";
import { planUtterance } from "../model/utterance.ts";
import { TorchRandom } from "../sampling/torch-random.ts";
import type { SentencePieceTokenizer } from "../text/sentencepiece-tokenizer.ts";
import type { VoiceState } from "../voice/voice-state.ts";
import type { OnnxManifest } from "./export-onnx.ts";
import { OnnxModel } from "./onnx-model.ts";
import type { OnnxSessions } from "./onnx-runtime.ts";

/** Parts of the engine; it owns the sessions. */
export interface OnnxEngineOptions {
  readonly sessions: OnnxSessions;
  readonly config: ModelConfig;
  readonly tokenizer: SentencePieceTokenizer;
  readonly voices: readonly VoiceInfo[];
  /** @throws TtsError `tts/voice-unknown`, `tts/voice-missing` and what is wrong with a voice's file */
  readonly loadVoice: (id: string) => VoiceState;
}

/** Rows of voice, text and speech that the runtime's memory is let grow to. */
const capacity = 4096;

/** Pocket TTS on ONNX Runtime: the same chunks, noise and end of speech as the native engine, the sums in the runtime's order. */
export class OnnxEngine implements SpeechEngine {
  readonly name = "onnx";
  readonly sampleRate: number;
  readonly defaultVoice: string;
  readonly #options: OnnxEngineOptions;

  constructor(options: OnnxEngineOptions) {
    this.#options = options;
    this.sampleRate = options.config.mimi.sampleRate;
    this.defaultVoice = options.voices[0]?.id ?? "";
    // A frame that is no whole number of steps would have been refused by the configuration.
    stepsPerFrame(options.config);
  }

  listVoices(): readonly VoiceInfo[] {
    return this.#options.voices;
  }

  async *speak(request: SpeechRequest): AsyncIterable<Float32Array> {
    const { config, tokenizer, sessions, loadVoice } = this.#options;
    const { signal, sampling, seed = 0 } = request;
    const voice = loadVoice(request.voice ?? this.defaultVoice);
    const plan = planUtterance(request.text, tokenizer, config, capacity - voice.rows, seed, sampling);
    const { temperature, noiseClamp, eosThreshold, lsdDecodeSteps } = plan.sampling;
    const random = new TorchRandom(plan.seed);
    const noise = new Float32Array(config.mimi.latentDim);
    const draw = () => {
      const sigma = Math.sqrt(temperature);
      if (noiseClamp === undefined) random.fillNormal(noise, sigma);
      else random.fillTruncatedNormal(noise, sigma, noiseClamp);
      if (temperature === 0) noise.fill(0);
    };
    const model = new OnnxModel(sessions, config);
    for (const chunk of plan.chunks) {
      signal?.throwIfAborted();
      await model.start(voice);
      await model.prefill(chunk.ids);
      draw();
      model.resetDecoder();
      let latent: Float32Array | undefined;
      let ended = Number.POSITIVE_INFINITY;
      for (let step = 0; step < chunk.maxFrames; step++) {
        signal?.throwIfAborted();
        const { hidden, eosLogit } = await model.step(latent);
        if (eosLogit > eosThreshold) ended = Math.min(ended, step);
        draw();
        if (step >= ended + chunk.framesAfterEos) break;
        latent = await model.sample(hidden, noise, lsdDecodeSteps);
        yield await model.decode(latent);
      }
    }
  }

  close(): Promise<void> {
    return this.#options.sessions.close();
  }
}

/** @throws TtsError `tts/config-invalid` for what is no manifest of exported graphs */
export function checkOnnxManifest(value: unknown, label: string): asserts value is OnnxManifest {
  const manifest = value as {
    version?: unknown;
    weights?: unknown;
    quantized?: unknown;
    graphs?: unknown;
  } | null;
  const isName = (name: unknown) => typeof name === "string" && /^[\w.-]+$/.test(name);
  const isWhole =
    manifest?.version === 1 &&
    isName(manifest.weights) &&
    (manifest.quantized === undefined || isName(manifest.quantized)) &&
    Array.isArray(manifest.graphs) &&
    manifest.graphs.every(
      (graph: { name?: unknown; file?: unknown; inputs?: unknown; outputs?: unknown } | null) =>
        typeof graph?.name === "string" &&
        isName(graph.file) &&
        Array.isArray(graph.inputs) &&
        Array.isArray(graph.outputs),
    );
  if (!isWhole) {
    throw new TtsError(
      "tts/config-invalid",
      `${label} is no manifest of exported graphs; make one with: longwave model export`,
    );
  }
}
