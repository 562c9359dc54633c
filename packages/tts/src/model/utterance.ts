import type { ModelConfig } from "../config/model-config.ts";
import type { SamplingOptions } from "../engine/speech-engine.ts";
import { TtsError } from "../errors.ts";
import { TorchRandom } from "../sampling/torch-random.ts";
import { joinShort } from "../text/join-short.ts";
import { prepareText } from "../text/prepare-text.ts";
import { countWords } from "../text/python-characters.ts";
import type { SentencePieceTokenizer } from "../text/sentencepiece-tokenizer.ts";
import { defaultMaxTokens, splitIntoChunks } from "../text/split-into-chunks.ts";
import type { VoiceState } from "../voice/voice-state.ts";
import { maxLsdSteps } from "./flow-net.ts";
import type { PocketModel } from "./pocket-model.ts";

const legacyPad = " ".repeat(8);

/** One piece of text, ready for the model. */
export interface Chunk {
  readonly ids: readonly number[];
  readonly maxFrames: number;
  readonly framesAfterEos: number;
}

/** Sampling settings with their defaults filled in and checked. */
export type Sampling = Required<Pick<SamplingOptions, "lsdDecodeSteps" | "temperature" | "eosThreshold">> & {
  readonly noiseClamp: number | undefined;
};

/** Everything that decides an utterance; plain data, so that it can be sent to another thread. */
export interface UtterancePlan {
  readonly chunks: readonly Chunk[];
  readonly seed: number;
  readonly sampling: Sampling;
}

/** Longest speech per token, as the reference estimates it: 3 tokens a second, plus 2 s. */
export function maxFramesFor(tokens: number, frameRate: number): number {
  return Math.ceil((tokens / 3 + 2) * frameRate);
}

/**
 * Splits, tokenises and checks a text.
 * @throws TtsError `tts/option-invalid`, `tts/empty-text`; `tts/text-too-long` where one unbroken piece does not fit the model
 */
export function planUtterance(
  text: string,
  tokenizer: SentencePieceTokenizer,
  config: ModelConfig,
  capacity: number,
  seed: number,
  options: SamplingOptions = {},
): UtterancePlan {
  const sampling = checkSampling(options);
  const maxTokens = options.maxTokens ?? defaultMaxTokens;
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new TtsError("tts/option-invalid", `maxTokens is ${maxTokens}; give a whole number from 1.`);
  }
  const fixed = options.framesAfterEos ?? config.recommendedFramesAfterEos ?? undefined;
  if (fixed !== undefined && !(Number.isInteger(fixed) && fixed >= 0 && fixed <= 1000)) {
    throw new TtsError(
      "tts/option-invalid",
      `framesAfterEos is ${fixed}; give a whole number from 0 to 1000.`,
    );
  }
  const pieces = splitIntoChunks(tokenizer, text, maxTokens, config);
  const chunks = (options.joinShort ? joinShort(pieces) : pieces).map((chunk) => {
    const ids = tokenizer.encode(options.legacyPad && countWords(chunk) < 5 ? `${legacyPad}${chunk}` : chunk);
    const maxFrames = maxFramesFor(ids.length, config.mimi.frameRate);
    if (ids.length + maxFrames > capacity) {
      throw new TtsError(
        "tts/text-too-long",
        `A piece of ${ids.length} tokens has no place to breathe: "${chunk.slice(0, 40)}…". Break it by punctuation.`,
      );
    }
    // The number of frames is guessed from the chunk as it is prepared, the tokens are those of the chunk as it stands.
    const framesAfterEos = fixed ?? prepareText(chunk, config).framesAfterEosGuess + 2;
    return { ids, maxFrames, framesAfterEos };
  });
  return { chunks, seed, sampling };
}

function checkSampling(options: SamplingOptions): Sampling {
  const { lsdDecodeSteps = 1, temperature = 0.7, eosThreshold = -4, noiseClamp } = options;
  if (!Number.isInteger(lsdDecodeSteps) || lsdDecodeSteps < 1 || lsdDecodeSteps > maxLsdSteps) {
    throw new TtsError(
      "tts/option-invalid",
      `lsdDecodeSteps is ${lsdDecodeSteps}; give 1 to ${maxLsdSteps}.`,
    );
  }
  if (!(temperature >= 0 && temperature <= 10)) {
    throw new TtsError("tts/option-invalid", `temperature is ${temperature}; give 0 to 10.`);
  }
  if (Number.isNaN(eosThreshold)) throw new TtsError("tts/option-invalid", "eosThreshold is not a number.");
  if (noiseClamp !== undefined && !(noiseClamp > 0)) {
    throw new TtsError("tts/option-invalid", `noiseClamp is ${noiseClamp}; give a number above 0.`);
  }
  return { lsdDecodeSteps, temperature, eosThreshold, noiseClamp };
}

/**
 * Speaks a plan with the language model, one latent a call. Draws noise exactly as the reference does: also for the text prefill,
 * whose result is dropped, and for the step that ends a chunk; the generator runs on from chunk to chunk.
 */
export class Utterance {
  readonly #model: PocketModel;
  readonly #plan: UtterancePlan;
  readonly #voice: VoiceState;
  readonly #random: TorchRandom;
  readonly #noise: Float32Array;
  readonly #sigma: number;
  #chunk = -1;
  #step = 0;
  #eosStep = -1;
  #isFirst = false;
  #capped = 0;

  constructor(model: PocketModel, plan: UtterancePlan, voice: VoiceState) {
    this.#model = model;
    this.#plan = plan;
    this.#voice = voice;
    this.#random = new TorchRandom(plan.seed);
    this.#noise = model.core.floats(model.flowLm.latent, model.config.mimi.latentDim);
    this.#sigma = Math.sqrt(plan.sampling.temperature);
    model.flowLm.flowNet.setSteps(model.core, plan.sampling.lsdDecodeSteps);
  }

  /** True if the latest latent is a chunk's first: the decoder starts anew. */
  get isChunkStart(): boolean {
    return this.#isFirst;
  }

  /** Chunks that ran to their limit without an end of speech, which very often means that something is wrong. */
  get cappedChunks(): number {
    return this.#capped;
  }

  /** Makes the next latent, at `flowLm.latent`; false when all is said. */
  next(): boolean {
    for (;;) {
      const chunk = this.#plan.chunks[this.#chunk];
      if (chunk !== undefined && this.#step < chunk.maxFrames) {
        if (this.#advance(chunk)) return true;
      } else if (chunk !== undefined) this.#capped++;
      if (++this.#chunk >= this.#plan.chunks.length) return false;
      this.#start(this.#plan.chunks[this.#chunk]!);
    }
  }

  #start(chunk: Chunk): void {
    const { core, flowLm, capacity } = this.#model;
    const needed = this.#voice.rows + 1 + chunk.ids.length + chunk.maxFrames;
    if (needed > capacity) {
      throw new TtsError(
        "tts/text-too-long",
        `Voice, text and speech need ${needed} positions, the model was opened with ${capacity}.`,
      );
    }
    loadVoice(this.#model, this.#voice);
    flowLm.cacheText(core, chunk.ids);
    this.#draw();
    flowLm.startSpeech(core);
    this.#step = 0;
    this.#eosStep = -1;
  }

  /** One step of a chunk; false where it is the one that ends it. */
  #advance(chunk: Chunk): boolean {
    const { core, flowLm } = this.#model;
    const step = this.#step++;
    flowLm.advance(core);
    if (this.#eosStep < 0 && flowLm.hasEnded(core, this.#plan.sampling.eosThreshold)) this.#eosStep = step;
    this.#draw();
    if (this.#eosStep >= 0 && step >= this.#eosStep + chunk.framesAfterEos) return false;
    flowLm.sample(core);
    this.#isFirst = step === 0;
    return true;
  }

  #draw(): void {
    const { noiseClamp, temperature } = this.#plan.sampling;
    // The reference draws at temperature 0 too: times 0.
    if (noiseClamp === undefined) this.#random.fillNormal(this.#noise, this.#sigma);
    else this.#random.fillTruncatedNormal(this.#noise, this.#sigma, noiseClamp);
    if (temperature === 0) this.#noise.fill(0);
  }
}

/** Puts a voice at the start of the language model's cache. */
export function loadVoice(model: PocketModel, voice: VoiceState): void {
  const { core, flowLm } = model;
  flowLm.transformer.reset();
  if (voice.kind === "prompt") {
    flowLm.prefillRows(core, voice.conditioning);
    return;
  }
  flowLm.transformer.restore(voice.rows);
  for (let layer = 0; layer < voice.keys.length; layer++) {
    const cache = flowLm.transformer.cache(core, layer);
    cache.keys.set(voice.keys[layer]!);
    cache.values.set(voice.values[layer]!);
  }
}
