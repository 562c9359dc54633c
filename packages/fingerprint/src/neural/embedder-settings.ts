import { NeuralError } from "./errors.ts";

/** The log-mel input of an embedding model; the defaults are the contract `neural-onnx-v0`. */
export interface EmbedderSettings {
  /** Rate that the model was trained at, Hz. */
  readonly sampleRate: number;
  /** Samples of a transform (a power of two) and between two of them. */
  readonly fftSize: number;
  readonly hopSize: number;
  /** Slaney triangles from `minHz` to `maxHz`. */
  readonly mels: number;
  readonly minHz: number;
  readonly maxHz: number;
  /** Seconds of an embedding, and between two of them. */
  readonly windowSeconds: number;
  readonly stepSeconds: number;
  /** Windows in one run of the model; streaming runs them one by one. */
  readonly batchSize: number;
}

export const embedderDefaults: EmbedderSettings = {
  sampleRate: 16_000,
  fftSize: 1024,
  hopSize: 320,
  mels: 128,
  minHz: 0,
  maxHz: 8000,
  windowSeconds: 1,
  stepSeconds: 1,
  batchSize: 1,
};

/** Largest transform of the FFT that is used. */
const maxFftSize = 65_536;
const maxCells = 2 ** 28;

/** What the settings amount to, in samples and frames. */
export interface WindowShape {
  readonly windowSamples: number;
  readonly stepSamples: number;
  /** Transforms in a window. */
  readonly frames: number;
}

/** @throws NeuralError `neural/settings` naming the setting, its value and what is allowed */
export function windowShapeOf(settings: EmbedderSettings): WindowShape {
  const { sampleRate, fftSize, hopSize, mels, minHz, maxHz, windowSeconds, stepSeconds, batchSize } =
    settings;
  const require = (holds: boolean, what: string) => {
    if (!holds) throw new NeuralError("neural/settings", what);
  };
  const isInteger = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  require(isInteger(sampleRate, 1000, 768_000), `sampleRate must be 1,000 to 768,000 Hz, not ${sampleRate}.`);
  require(isInteger(fftSize, 2, maxFftSize) &&
    (fftSize & (fftSize - 1)) === 0, `fftSize must be a power of two up to ${maxFftSize}, not ${fftSize}.`);
  require(isInteger(hopSize, 1, fftSize), `hopSize must be 1 to fftSize (${fftSize}), not ${hopSize}.`);
  require(isInteger(mels, 1, 8192), `mels must be 1 to 8,192, not ${mels}.`);
  require(minHz >= 0 && minHz < maxHz, `minHz must be from 0 to below maxHz (${maxHz}), not ${minHz}.`);
  require(maxHz <=
    sampleRate / 2, `maxHz must be at most half the sample rate (${sampleRate / 2}), not ${maxHz}.`);
  require(windowSeconds > 0 &&
    windowSeconds <= 3600, `windowSeconds must be above 0 and at most 3,600, not ${windowSeconds}.`);
  require(stepSeconds > 0 &&
    stepSeconds <=
      windowSeconds, `stepSeconds must be above 0 and at most windowSeconds (${windowSeconds}), not ${stepSeconds}.`);
  require(isInteger(batchSize, 1, 1024), `batchSize must be 1 to 1,024, not ${batchSize}.`);
  const windowSamples = Math.round(windowSeconds * sampleRate);
  const stepSamples = Math.round(stepSeconds * sampleRate);
  require(windowSamples >=
    fftSize, `A window of ${windowSamples} samples is shorter than fftSize (${fftSize}).`);
  require(stepSamples >= 1, `stepSeconds (${stepSeconds}) is less than a sample.`);
  const frames = Math.floor((windowSamples - fftSize) / hopSize) + 1;
  require(mels * frames * batchSize <=
    maxCells, `A batch would hold ${mels * frames * batchSize} values, more than ${maxCells}.`);
  return { windowSamples, stepSamples, frames };
}
