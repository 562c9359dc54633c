import { requireFinite } from "../extract.ts";
import { NeuralError } from "./errors.ts";
import type { FloatTensor, OnnxModel } from "./onnx-model.ts";

/** How to read what a detecting model gives. */
export interface NeuralDetectorSettings {
  /** Rate that the model was trained at, Hz; default 16,000. */
  readonly sampleRate: number;
  /**
   * Output 0. `flat`: a score for every moment, their mean is the confidence. `class1of2`: `[1, 2, T]` after a softmax, as AudioSeal gives
   * it; row 1 is "marked", and the share of moments above a half is the confidence. Default `flat`.
   */
  readonly scores: "flat" | "class1of2";
  /** Output 1: a logit for every bit (bit 1 from 0 on), or a probability (from a half on). Default `logits`. */
  readonly message: "logits" | "probabilities";
  /** Bits of the message, 0 to 32; default 16. */
  readonly bits: number;
  /** The sound is marked if the confidence is above this; default 0.5. */
  readonly threshold: number;
}

export const neuralDetectorDefaults: NeuralDetectorSettings = {
  sampleRate: 16_000,
  scores: "flat",
  message: "logits",
  bits: 16,
  threshold: 0.5,
};

/** What a model says of a sound. */
export interface NeuralDetection {
  readonly detected: boolean;
  /** 0 to 1, where the model's scores are. */
  readonly confidence: number;
  /** The message, bit 0 first; 0 where the model gives fewer bits than asked for. */
  readonly message: number;
  /** The scores as the model gives them, row "marked" for `class1of2`; what time each belongs to, the model knows. */
  readonly scores: Float32Array;
}

/**
 * A detector of neural watermarks in the shape of AudioSeal: sound in as `[1, 1, T]`, scores and message out.
 *
 * @example
 * const detector = new NeuralWatermarkDetector(model, { scores: "class1of2", message: "probabilities" });
 * const { detected, message } = await detector.detect(samples, 16_000);
 */
export class NeuralWatermarkDetector {
  readonly #model: OnnxModel;
  readonly #settings: NeuralDetectorSettings;

  /** @throws NeuralError `neural/settings` */
  constructor(model: OnnxModel, settings: Partial<NeuralDetectorSettings> = {}) {
    const all = { ...neuralDetectorDefaults, ...settings };
    if (!Number.isInteger(all.bits) || all.bits < 0 || all.bits > 32) {
      throw new NeuralError("neural/settings", `bits must be 0 to 32, not ${all.bits}.`);
    }
    if (!(all.threshold >= 0 && all.threshold <= 1)) {
      throw new NeuralError("neural/settings", `threshold must be 0 to 1, not ${all.threshold}.`);
    }
    this.#model = model;
    this.#settings = all;
  }

  /**
   * @param samples mono, at the model's rate
   * @throws NeuralError `neural/input` for another rate or no samples, `neural/inference`; FingerprintError `fp/non-finite`
   */
  async detect(samples: Float32Array, sampleRate: number): Promise<NeuralDetection> {
    const settings = this.#settings;
    checkSound(samples, sampleRate, settings.sampleRate);
    const [output, message] = await this.#model.run({ values: samples, shape: [1, 1, samples.length] });
    const scores = scoresOf(output, settings.scores);
    let sum = 0;
    for (const score of scores) sum += settings.scores === "flat" ? score : Number(score > 0.5);
    const confidence = sum / scores.length;
    return {
      detected: confidence > settings.threshold,
      confidence,
      message: messageOf(message?.values, settings),
      scores,
    };
  }
}

function scoresOf(output: FloatTensor | undefined, kind: NeuralDetectorSettings["scores"]): Float32Array {
  if (output === undefined || output.values.length === 0) {
    throw new NeuralError("neural/inference", "The model gives no scores.");
  }
  for (const score of output.values) {
    if (score - score !== 0)
      throw new NeuralError("neural/inference", `The model gives a score of ${score}.`);
  }
  if (kind === "flat") return output.values;
  const [batch, classes, moments] = output.shape;
  if (output.shape.length === 3 && batch === 1 && classes === 2 && moments! > 0) {
    return output.values.subarray(moments, 2 * moments!);
  }
  throw new NeuralError(
    "neural/inference",
    `The model's scores have shape [${output.shape}] instead of [1, 2, T]; its scores may be "flat".`,
  );
}

function messageOf(values: Float32Array | undefined, { bits, message }: NeuralDetectorSettings): number {
  if (values === undefined || values.length < bits) return 0;
  const least = message === "logits" ? 0 : 0.5;
  let found = 0;
  for (let i = 0; i < bits; i++) if (values[i]! >= least) found += 2 ** i;
  return found;
}

/** How to drive an embedding model. */
export interface NeuralMarkerSettings {
  /** Rate that the model was trained at, Hz; default 16,000. */
  readonly sampleRate: number;
  /** Bits of the message, 1 to 32; default 16. */
  readonly bits: number;
  /** Element type of the model's message input; default `float32`. */
  readonly messageType: "float32" | "int64";
  /** How much of the model's residual is added, 0 to 4; default 1. */
  readonly strength: number;
}

export const neuralMarkerDefaults: NeuralMarkerSettings = {
  sampleRate: 16_000,
  bits: 16,
  messageType: "float32",
  strength: 1,
};

/** Puts a neural watermark into sound: sound plus strength times what the model makes of sound `[1, 1, T]` and message `[1, bits]`. */
export class NeuralWatermarkEmbedder {
  readonly #model: OnnxModel;
  readonly #settings: NeuralMarkerSettings;

  /** @throws NeuralError `neural/settings` */
  constructor(model: OnnxModel, settings: Partial<NeuralMarkerSettings> = {}) {
    const all = { ...neuralMarkerDefaults, ...settings };
    if (!Number.isInteger(all.bits) || all.bits < 1 || all.bits > 32) {
      throw new NeuralError("neural/settings", `bits must be 1 to 32, not ${all.bits}.`);
    }
    if (!(all.strength >= 0 && all.strength <= 4)) {
      throw new NeuralError("neural/settings", `strength must be 0 to 4, not ${all.strength}.`);
    }
    this.#model = model;
    this.#settings = all;
  }

  /**
   * A marked copy of `samples`.
   * @param message a whole number of at most `bits` bits; bit 0 is the first of the model's message
   * @throws as `NeuralWatermarkDetector.detect`; NeuralError `neural/input` for a message with more bits
   */
  async embed(samples: Float32Array, sampleRate: number, message: number): Promise<Float32Array> {
    const { bits, messageType, strength, sampleRate: modelRate } = this.#settings;
    checkSound(samples, sampleRate, modelRate);
    if (!Number.isInteger(message) || message < 0 || message >= 2 ** bits) {
      throw new NeuralError(
        "neural/input",
        `The message must be a whole number from 0 to ${2 ** bits - 1}, not ${message}.`,
      );
    }
    const values = Float32Array.from({ length: bits }, (_, i) => Math.floor(message / 2 ** i) % 2);
    const given =
      messageType === "float32"
        ? { values, shape: [1, bits] }
        : { integers: BigInt64Array.from(values, (bit) => BigInt(bit)), shape: [1, bits] };
    const [residual] = await this.#model.run({ values: samples, shape: [1, 1, samples.length] }, given);
    if (residual?.values.length !== samples.length) {
      throw new NeuralError(
        "neural/inference",
        `The model gives ${residual?.values.length ?? 0} samples for ${samples.length}; it is no embedder of this kind.`,
      );
    }
    return samples.map((sample, i) => sample + strength * residual.values[i]!);
  }
}

function checkSound(samples: Float32Array, sampleRate: number, modelRate: number): void {
  if (sampleRate !== modelRate) {
    throw new NeuralError(
      "neural/input",
      `The model needs ${modelRate} Hz and got ${sampleRate} Hz; resample the sound.`,
    );
  }
  if (samples.length === 0) throw new NeuralError("neural/input", "The model needs sound and got no sample.");
  requireFinite(samples);
}
