import { Resampler } from "@longwave/dsp";
import { downmix } from "@longwave/fingerprint";
import { NeuralWatermarkDetector, OnnxModel } from "@longwave/fingerprint/neural";
import { readModelFile } from "@longwave/fingerprint/node";
import { loadOnnxRuntime } from "@longwave/tts/node";
import { readSound } from "../id/read-sound.ts";
import { printResult } from "../output.ts";
import { nothingFoundExitCode } from "../require-exit.ts";

/** Options of `watermark detect --model`. */
export interface ModelOptions {
  readonly model: string;
  readonly modelSha256?: string;
  readonly scores?: "flat" | "class1of2";
  readonly message?: "logits" | "probabilities";
  readonly require?: boolean;
  readonly json?: boolean;
}

/** Rate of the models of this shape, Hz. */
const modelRate = 16_000;

/** `longwave watermark detect IN --model FILE`: what a model of the user's says of a sound. */
export async function detectWithModel(input: string, options: ModelOptions): Promise<void> {
  const { model: path, modelSha256, scores = "flat", message = "logits" } = options;
  const bytes = await readModelFile(path);
  const { runtime } = await loadOnnxRuntime();
  const model = await OnnxModel.load(
    runtime,
    bytes,
    modelSha256 === undefined ? {} : { sha256: modelSha256 },
  );
  const { samples, sampleRate, channels = 1 } = await readSound(input);
  const mono = atModelRate(downmix(samples, channels), sampleRate);
  const found = await new NeuralWatermarkDetector(model, { scores, message }).detect(mono, modelRate);
  await model.close();
  const { detected, confidence, message: word } = found;
  const hex = word.toString(16).padStart(4, "0");
  printResult(options.json === true, { input, detected, confidence, message: hex }, () => [
    detected
      ? `${hex} (confidence ${confidence.toFixed(3)})`
      : `No mark (confidence ${confidence.toFixed(3)}).`,
  ]);
  if (!detected && options.require === true) process.exitCode = nothingFoundExitCode;
}

function atModelRate(mono: Float32Array, from: number): Float32Array {
  if (from === modelRate) return mono;
  const resampler = new Resampler({ from, to: modelRate });
  const most = resampler.maxOutputFrames(mono.length + resampler.lookaheadFrames) + 1;
  const out = new Float32Array(most);
  const written = resampler.process(mono, out);
  const rest = new Float32Array(resampler.maxOutputFrames(resampler.lookaheadFrames) + 1);
  const flushed = resampler.flush(rest);
  out.set(rest.subarray(0, flushed), written);
  resampler.close();
  return out.slice(0, written + flushed);
}
