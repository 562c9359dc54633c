import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import {
  formatVoiceManifest,
  type ModelConfig,
  parseModelConfig,
  tensorList,
  type VoiceCache,
  writeVoice,
} from "@longwave/tts";

/** A small model's configuration: everything there, nothing slow. */
export const smallSpeechConfig = `weights_path: model.safetensors
flow_lm:
  insert_bos_before_voice: true
  dtype: float32
  flow:
    depth: 2
    dim: 24
  transformer:
    d_model: 32
    hidden_scale: 4
    max_period: 10000
    num_heads: 4
    num_layers: 2
  lookup_table:
    dim: 32
    n_bins: 320
    tokenizer: sentencepiece
    tokenizer_path: tokenizer.model
mimi:
  dtype: float32
  sample_rate: 24000
  inner_dim: 32
  outer_dim: 16
  channels: 1
  frame_rate: 12.5
  seanet:
    dimension: 16
    channels: 1
    n_filters: 4
    n_residual_layers: 1
    ratios: [6, 5, 4]
    kernel_size: 7
    residual_kernel_size: 3
    last_kernel_size: 3
    dilation_base: 2
    pad_mode: constant
    compress: 2
  transformer:
    d_model: 16
    num_heads: 2
    num_layers: 2
    layer_scale: 0.01
    context: 20
    dim_feedforward: 32
    input_dimension: 16
    output_dimensions: [16]
  quantizer:
    dimension: 32
    output_dimension: 16
`;

/**
 * Writes a model with random weights into a folder: `config.yaml`, `model.safetensors`, `tokenizer.model`, `voices/manifest.json` with
 * one voice, "random". It speaks noise, with finite activations and, now and then, an end.
 * @param configText a configuration with local paths of these names
 */
export function writeRandomSpeechModel(
  folder: string,
  configText: string = smallSpeechConfig,
  options: { seed?: number; dtype?: "F32" | "BF16"; voiceRows?: number } = {},
): ModelConfig {
  const { seed = 1, dtype = "F32", voiceRows = 8 } = options;
  const config = parseModelConfig(configText);
  const random = new SeededRandom(seed);
  mkdirSync(join(folder, "voices"), { recursive: true });
  writeFileSync(join(folder, "config.yaml"), configText);
  writeFileSync(join(folder, "tokenizer.model"), byteTokenizer(config.flowLm.vocabulary));
  writeWeights(join(folder, "model.safetensors"), config, random, dtype);
  const { width, layers } = config.flowLm;
  const rows = () =>
    Array.from({ length: layers }, () => fill(new Float32Array(voiceRows * width), random, 0, 0.5));
  const voice: VoiceCache = { kind: "cache", rows: voiceRows, keys: rows(), values: rows() };
  writeFileSync(join(folder, "voices/random.safetensors"), writeVoice(voice, config));
  writeFileSync(
    join(folder, "voices/manifest.json"),
    formatVoiceManifest([{ id: "random", path: "random.safetensors", license: "CC0-1.0" }]),
  );
  return config;
}

function writeWeights(path: string, config: ModelConfig, random: SeededRandom, dtype: "F32" | "BF16"): void {
  const list = tensorList(config);
  const size = dtype === "F32" ? 4 : 2;
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const { name, shape } of list) {
    const bytes = shape.reduce((product, each) => product * each, 1) * size;
    header[name] = { dtype, shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const text = Buffer.from(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, "w");
  writeSync(file, length);
  writeSync(file, text);
  for (const { name, shape } of list) {
    const values = randomTensor(name, shape, random);
    if (dtype === "F32") writeSync(file, new Uint8Array(values.buffer));
    else {
      const bits = new Uint32Array(values.buffer);
      writeSync(file, new Uint8Array(Uint16Array.from(bits, (each) => each >>> 16).buffer));
    }
  }
  closeSync(file);
}

/** Spreads that keep activations finite and the sound audible, by the kind of tensor. */
function randomTensor(name: string, shape: readonly number[], random: SeededRandom): Float32Array {
  const values = new Float32Array(shape.reduce((product, each) => product * each, 1));
  if (name.endsWith(".freqs")) return values.map((_, i) => Math.exp((-Math.log(10_000) * i) / values.length));
  if (name.endsWith("emb_std")) return fill(values, random, 1, 0.29);
  if (name.endsWith("out_eos.bias")) return values.fill(-6);
  if (name.endsWith("embed.weight")) return fill(values, random, 0, 1);
  if (/emb_mean|bos_emb|bos_before_voice/.test(name)) return fill(values, random, 0, 0.5);
  if (name.endsWith(".scale")) return fill(values, random, 0.1, 0.02);
  if (/norm\d?\.weight|in_ln\.weight|alpha$/.test(name)) return fill(values, random, 1, 0.1);
  if (name.endsWith("bias")) return fill(values, random, 0, 0.05);
  if (name.includes("upsample")) return fill(values, random, 0, 1.3 / Math.SQRT2);
  if (name.includes("convtr")) return fill(values, random, 0, 1.3 / Math.sqrt(2 * shape[0]!));
  if (name.includes("conv.")) {
    const isLast = name.includes("decoder") && shape[0] === 1;
    return fill(values, random, 0, ((isLast ? 0.02 : 1) * 1.3) / Math.sqrt(shape[1]! * shape[2]!));
  }
  return fill(values, random, 0, 1 / Math.sqrt(values.length / shape[0]!));
}

/** Uniform values of this mean and standard deviation. */
function fill(values: Float32Array, random: SeededRandom, mean: number, deviation: number): Float32Array {
  const width = deviation * Math.sqrt(12);
  for (let i = 0; i < values.length; i++) values[i] = mean + (random.next() - 0.5) * width;
  return values;
}

/**
 * A SentencePiece unigram model of our own: unknown, two controls, 256 bytes, then single characters and invented syllables.
 * @param size number of pieces, at least 300
 */
export function byteTokenizer(size: number): Uint8Array {
  const pieces: [text: string, score: number, type: number][] = [
    ["<unk>", 0, 2],
    ["<s>", 0, 3],
    ["</s>", 0, 3],
  ];
  for (let byte = 0; byte < 256; byte++) {
    pieces.push([`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, 0, 6]);
  }
  const characters = "\u2581etaoinshrdlcumwfgypbvkjxqz.,!?;:'".split("");
  for (const each of characters) pieces.push([each, -4 - pieces.length / 1000, 1]);
  for (let i = 0; pieces.length < size; i++) {
    const a = characters[i % 25]!;
    const b = characters[1 + (Math.floor(i / 25) % 25)]!;
    const c = i < 625 ? "" : characters[1 + (Math.floor(i / 625) % 25)]!;
    pieces.push([a + b + c, -6 - i / 1000, 1]);
  }
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [text, score, type] of pieces.slice(0, size)) {
    const name = encoder.encode(text);
    const piece = [
      0x0a,
      name.length,
      ...name,
      0x15,
      ...new Uint8Array(Float32Array.of(score).buffer),
      0x18,
      type,
    ];
    bytes.push(0x0a, piece.length, ...piece);
  }
  // trainer_spec { model_type: 1, byte_fallback: true }
  bytes.push(0x12, 5, 0x18, 1, 0x98, 0x02, 1);
  return Uint8Array.from(bytes);
}
