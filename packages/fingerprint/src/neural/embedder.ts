import { BandLimitedResampler } from "../band-limited-resampler.ts";
import { downmix, requireFinite } from "../extract.ts";
import {
  type EmbedderSettings,
  embedderDefaults,
  type WindowShape,
  windowShapeOf,
} from "./embedder-settings.ts";
import { NeuralError } from "./errors.ts";
import { LogMelWindow } from "./log-mel-window.ts";
import type { OnnxModel } from "./onnx-model.ts";

/** Embeddings of a recording, one a window. */
export interface Embeddings {
  /** Values of one embedding. */
  readonly dimension: number;
  /** Embeddings a second. */
  readonly perSecond: number;
  /** All embeddings one after the other, each of length 1 (or all zero). */
  readonly vectors: Float32Array;
  /** Start of each window, whole ms. */
  readonly timesMs: Float64Array;
}

/** Takes one embedding of a stream; `vector` is overwritten by the next. */
export type EmbeddingSink = (vector: Float32Array, timeMs: number) => void;

/**
 * Embeds sound with a model of the user's: log-mel windows in, output 0 is the embedding, brought to length 1. What the model was trained on
 * decides what it recognises; no weights come with Longwave.
 *
 * @example
 * const model = await OnnxModel.load(ort, bytes, { sha256: "..." });
 * const embedder = await NeuralEmbedder.create(model, { batchSize: 8 });
 * const { vectors, dimension } = await embedder.embed(samples, { sampleRate: 44_100 });
 */
export class NeuralEmbedder {
  readonly settings: EmbedderSettings;
  /** Values of one embedding, as a run on silence has shown. */
  readonly dimension: number;
  readonly #model: OnnxModel;
  readonly #shape: WindowShape;
  readonly #window: LogMelWindow;
  readonly #batch: Float32Array;

  private constructor(model: OnnxModel, settings: EmbedderSettings, dimension: number, window: LogMelWindow) {
    this.#model = model;
    this.settings = settings;
    this.dimension = dimension;
    this.#shape = windowShapeOf(settings);
    this.#window = window;
    this.#batch = new Float32Array(settings.batchSize * window.size);
  }

  /**
   * Runs the model once, on silence, to learn the length of its embeddings.
   * @throws NeuralError `neural/settings`, `neural/inference`
   */
  static async create(model: OnnxModel, settings: Partial<EmbedderSettings> = {}): Promise<NeuralEmbedder> {
    const all = { ...embedderDefaults, ...settings };
    const { frames } = windowShapeOf(all);
    const window = new LogMelWindow(all);
    // log10(0 + 1e-10)
    const silence = new Float32Array(window.size).fill(-10);
    const [output] = await model.run({ values: silence, shape: [1, all.mels, frames] });
    if (output === undefined || output.values.length === 0) {
      throw new NeuralError("neural/inference", "The model gives an empty embedding.");
    }
    return new NeuralEmbedder(model, all, output.values.length, window);
  }

  /**
   * Embeds a whole recording; a last part that fills no window is left out.
   * @throws FingerprintError `fp/non-finite`, `fp/channels`, `fp/rate`; NeuralError `neural/input` for less than a window,
   * `neural/inference`
   */
  async embed(
    pcm: Float32Array,
    options: { readonly sampleRate: number; readonly channels?: number; readonly signal?: AbortSignal },
  ): Promise<Embeddings> {
    const samples = this.#atRate(downmix(pcm, options.channels ?? 1), options.sampleRate);
    const { windowSamples, stepSamples } = this.#shape;
    const count =
      samples.length < windowSamples ? 0 : Math.floor((samples.length - windowSamples) / stepSamples) + 1;
    if (count === 0) {
      const { windowSeconds, sampleRate } = this.settings;
      throw new NeuralError(
        "neural/input",
        `An embedding needs ${windowSeconds} s of sound and got ${(samples.length / sampleRate).toFixed(2)} s.`,
      );
    }
    const { batchSize, sampleRate, stepSeconds } = this.settings;
    const vectors = new Float32Array(count * this.dimension);
    const timesMs = Float64Array.from({ length: count }, (_, i) =>
      Math.floor((i * stepSamples * 1000) / sampleRate),
    );
    for (let first = 0; first < count; ) {
      options.signal?.throwIfAborted();
      // A last, partial batch goes window by window: some models take one size of batch only.
      const size = first + batchSize <= count ? batchSize : 1;
      for (let i = 0; i < size; i++) {
        const start = (first + i) * stepSamples;
        this.#window.compute(
          samples.subarray(start, start + windowSamples),
          this.#batch,
          i * this.#window.size,
        );
      }
      await this.#infer(size, vectors, first * this.dimension);
      first += size;
    }
    return { dimension: this.dimension, perSecond: 1 / stepSeconds, vectors, timesMs };
  }

  /** Embeds a stream; see {@link EmbeddingStream}. Streams of one embedder must not run at the same time. */
  createStream(sampleRate: number = this.settings.sampleRate): EmbeddingStream {
    return new EmbeddingStream(
      this.settings,
      this.#shape,
      sampleRate,
      async (samples, into) => {
        this.#window.compute(samples, this.#batch, 0);
        await this.#infer(1, into, 0);
      },
      this.dimension,
    );
  }

  /** Gives the memory of the analysis back; the model stays open. */
  close(): void {
    this.#window.close();
  }

  async #infer(count: number, into: Float32Array, at: number): Promise<void> {
    const { mels } = this.settings;
    const values = this.#batch.subarray(0, count * this.#window.size);
    const [output] = await this.#model.run({ values, shape: [count, mels, this.#shape.frames] });
    if (output?.values.length !== count * this.dimension) {
      throw new NeuralError(
        "neural/inference",
        `The model gives ${output?.values.length ?? 0} values for ${count} windows instead of ${count * this.dimension}.`,
      );
    }
    into.set(output.values, at);
    for (let i = 0; i < count; i++) normalise(into, at + i * this.dimension, this.dimension);
  }

  #atRate(mono: Float32Array, rate: number): Float32Array {
    requireFinite(mono);
    const { sampleRate } = this.settings;
    if (rate === sampleRate) return mono;
    const resampler = new BandLimitedResampler(rate, sampleRate);
    const out = new Float32Array(Math.ceil((mono.length * sampleRate) / rate) + resampler.outputBound(0));
    const written = resampler.push(mono, 0, mono.length, out);
    return out.subarray(0, written + resampler.flush(out.subarray(written)));
  }
}

/** Embeds a stream window by window. Its own work allocates nothing for a window; the runtime does. */
export class EmbeddingStream {
  readonly #settings: EmbedderSettings;
  readonly #shape: WindowShape;
  readonly #infer: (samples: Float32Array, into: Float32Array) => Promise<void>;
  readonly #resampler: BandLimitedResampler | undefined;
  #clean = new Float32Array(0);
  #resampled = new Float32Array(0);
  /** The samples of the next window that are there. */
  readonly #window: Float32Array;
  #filled = 0;
  readonly #vector: Float32Array;
  #windows = 0;
  #replaced = 0;

  constructor(
    settings: EmbedderSettings,
    shape: WindowShape,
    sampleRate: number,
    infer: (samples: Float32Array, into: Float32Array) => Promise<void>,
    dimension: number,
  ) {
    this.#settings = settings;
    this.#shape = shape;
    this.#infer = infer;
    this.#resampler =
      sampleRate === settings.sampleRate
        ? undefined
        : new BandLimitedResampler(sampleRate, settings.sampleRate);
    this.#window = new Float32Array(shape.windowSamples);
    this.#vector = new Float32Array(dimension);
  }

  /** Samples that were not finite and count as 0. */
  get replacedSamples(): number {
    return this.#replaced;
  }

  /** Takes mono samples; `sink` has been called for every window that is full when this resolves. One call at a time. */
  async push(samples: Float32Array, sink: EmbeddingSink): Promise<void> {
    if (this.#clean.length < samples.length) this.#clean = new Float32Array(samples.length);
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i]!;
      const isNumber = value - value === 0;
      if (!isNumber) this.#replaced++;
      this.#clean[i] = isNumber ? value : 0;
    }
    if (this.#resampler === undefined) return this.#take(this.#clean, samples.length, sink);
    const bound = this.#resampler.outputBound(samples.length);
    if (this.#resampled.length < bound) this.#resampled = new Float32Array(bound);
    const count = this.#resampler.push(this.#clean, 0, samples.length, this.#resampled);
    await this.#take(this.#resampled, count, sink);
  }

  /** Ends the stream: what fills no window is dropped, and the next sample begins a new run at time 0. */
  async flush(sink: EmbeddingSink): Promise<void> {
    if (this.#resampler !== undefined) {
      const bound = this.#resampler.outputBound(0);
      if (this.#resampled.length < bound) this.#resampled = new Float32Array(bound);
      await this.#take(this.#resampled, this.#resampler.flush(this.#resampled), sink);
      this.#resampler.reset();
    }
    this.#filled = 0;
    this.#windows = 0;
  }

  async #take(samples: Float32Array, count: number, sink: EmbeddingSink): Promise<void> {
    const { windowSamples, stepSamples } = this.#shape;
    for (let at = 0; at < count; at++) {
      this.#window[this.#filled++] = samples[at]!;
      if (this.#filled < windowSamples) continue;
      await this.#infer(this.#window, this.#vector);
      sink(this.#vector, Math.floor((this.#windows++ * stepSamples * 1000) / this.#settings.sampleRate));
      this.#window.copyWithin(0, stepSamples);
      this.#filled = windowSamples - stepSamples;
    }
  }
}

/** Brings a vector to length 1, unless it is as good as zero. */
function normalise(values: Float32Array, start: number, count: number): void {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += values[i]! * values[i]!;
  const norm = Math.sqrt(sum);
  if (!(norm > 1e-12)) return;
  for (let i = start; i < start + count; i++) values[i] = values[i]! / norm;
}
