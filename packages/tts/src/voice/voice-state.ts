import type { ModelConfig } from "../config/model-config.ts";
import { TtsError } from "../errors.ts";
import type { SafetensorsFile } from "../model/safetensors.ts";
import { type WritableTensor, writeSafetensors } from "../model/safetensors-writer.ts";

/** A voice as the language model knows it: cached keys and values of `rows` positions, per layer [rows][width]. */
export interface VoiceCache {
  readonly kind: "cache";
  readonly rows: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/** A voice of the oldest file format: conditioning rows [rows][width] that still have to go through the model. */
export interface VoicePrompt {
  readonly kind: "prompt";
  readonly rows: number;
  readonly conditioning: Float32Array;
}

export type VoiceState = VoiceCache | VoicePrompt;

/** Longest voice: 30 s at 12.5 frames a second, one row before it. */
const maxVoiceRows = 2048;

/**
 * Reads a voice file: `transformer.layers.N.self_attn/cache` with `/offset` or, older, `/current_end` (whose length is the offset), or,
 * oldest, one tensor `audio_prompt`. Arrays are made by `allocate`, so that they can be shared between threads.
 * @throws TtsError `tts/voice-mismatch` for a voice of another model, `tts/voice-malformed` for anything else
 */
export function readVoice(
  file: SafetensorsFile,
  config: ModelConfig,
  label: string,
  allocate: (count: number) => Float32Array = (count) => new Float32Array(count),
): VoiceState {
  const { width, layers, heads } = config.flowLm;
  const mismatch = (found: string): never => {
    throw new TtsError(
      "tts/voice-mismatch",
      `${label} is a voice of another model: it has ${found}, this model ${layers} layers of ${heads} x ${width / heads}.`,
    );
  };
  if (file.has("audio_prompt")) {
    const { shape } = file.info("audio_prompt");
    if (shape.length !== 3 || shape[0] !== 1 || shape[2] !== width)
      return mismatch(`a prompt of shape [${shape}]`);
    const rows = checkRows(shape[1]!, label);
    const conditioning = allocate(rows * width);
    file.readFloats("audio_prompt", conditioning);
    return { kind: "prompt", rows, conditioning };
  }
  const keys: Float32Array[] = [];
  const values: Float32Array[] = [];
  let rows = 0;
  for (let layer = 0; layer < layers; layer++) {
    const name = `transformer.layers.${layer}.self_attn/`;
    if (!file.has(`${name}cache`)) {
      if (layer > 0) return mismatch(`${layer} layers`);
      throw new TtsError(
        "tts/voice-malformed",
        `${label} holds no voice: there is neither a cache nor a prompt.`,
      );
    }
    const { shape } = file.info(`${name}cache`);
    if (
      shape.length !== 5 ||
      shape[0] !== 2 ||
      shape[1] !== 1 ||
      shape[3] !== heads ||
      shape[4] !== width / heads
    ) {
      return mismatch(`a cache of shape [${shape}]`);
    }
    const offset = file.has(`${name}offset`)
      ? file.integers(`${name}offset`)[0]
      : file.has(`${name}current_end`)
        ? file.info(`${name}current_end`).shape[0]
        : undefined;
    if (offset === undefined || offset > shape[2]! || (layer > 0 && offset !== rows)) {
      throw new TtsError(
        "tts/voice-malformed",
        `${label}: layer ${layer} does not say how long the voice is.`,
      );
    }
    rows = checkRows(offset, label);
    const count = rows * width;
    const layerKeys = allocate(count);
    const layerValues = allocate(count);
    file.readFloats(`${name}cache`, layerKeys, 0, count);
    file.readFloats(`${name}cache`, layerValues, shape[2]! * width, count);
    if (!layerKeys.every(Number.isFinite) || !layerValues.every(Number.isFinite)) {
      throw new TtsError("tts/voice-malformed", `${label}: layer ${layer} holds values that are not finite.`);
    }
    keys.push(layerKeys);
    values.push(layerValues);
  }
  if (file.has(`transformer.layers.${layers}.self_attn/cache`)) return mismatch(`more than ${layers} layers`);
  return { kind: "cache", rows, keys, values };
}

/** Serialises a voice in the current format. */
export function writeVoice(voice: VoiceCache, config: ModelConfig): Uint8Array<ArrayBuffer> {
  const { width, heads } = config.flowLm;
  const tensors = new Map<string, WritableTensor>();
  for (const [layer, keys] of voice.keys.entries()) {
    const data = new Float32Array(2 * keys.length);
    data.set(keys);
    data.set(voice.values[layer]!, keys.length);
    const name = `transformer.layers.${layer}.self_attn/`;
    tensors.set(`${name}cache`, { dtype: "F32", shape: [2, 1, voice.rows, heads, width / heads], data });
    tensors.set(`${name}offset`, { dtype: "I64", shape: [1], data: [voice.rows] });
  }
  return writeSafetensors(tensors);
}

/** Bytes that a voice takes in memory. */
export function voiceBytes(voice: VoiceState): number {
  if (voice.kind === "prompt") return voice.conditioning.byteLength;
  return [...voice.keys, ...voice.values].reduce((sum, each) => sum + each.byteLength, 0);
}

function checkRows(rows: number, label: string): number {
  if (rows >= 1 && rows <= maxVoiceRows) return rows;
  throw new TtsError(
    "tts/voice-malformed",
    `${label} has ${rows} positions; a voice has 1 to ${maxVoiceRows}.`,
  );
}
