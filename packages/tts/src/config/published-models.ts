/** What tells one published model from another; everything else is the same in all. */
export interface PublishedModel {
  readonly name: string;
  readonly layers: 6 | 24;
  readonly insertBosBeforeVoice: boolean;
  readonly innerDim: 32 | 512;
  readonly padWithSpacesForShortInputs?: boolean;
  readonly removeSemicolons?: boolean;
  readonly recommendedFramesAfterEos?: number;
  readonly defaultVoice: string;
}

const cloning = "39592ff23c9ef80098bb74895d104c26275fe2c9";
const withoutCloning = "d29db7978e464fb90cb3359ee0c69a273b9142cc";
const voices = "e041936c75475d350b405bc870bcf7c22da4e9e6";
const repository = "hf://kyutai/pocket-tts-without-voice-cloning";

const current = { layers: 6, insertBosBeforeVoice: true, innerDim: 32 } as const;
const large = { ...current, layers: 24 } as const;

/** The twelve configurations of Kyutai's pocket-tts 2.1.0 (weights CC-BY-4.0, code MIT). */
export const publishedModels: readonly PublishedModel[] = [
  { name: "english", ...current, defaultVoice: "alba" },
  {
    name: "english_2026-01",
    layers: 6,
    insertBosBeforeVoice: false,
    innerDim: 512,
    padWithSpacesForShortInputs: true,
    defaultVoice: "alba",
  },
  { name: "english_2026-04", ...current, defaultVoice: "alba" },
  {
    name: "french_24l",
    ...large,
    removeSemicolons: true,
    recommendedFramesAfterEos: 8,
    defaultVoice: "estelle",
  },
  { name: "german", ...current, removeSemicolons: true, defaultVoice: "juergen" },
  { name: "german_24l", ...large, removeSemicolons: true, defaultVoice: "juergen" },
  { name: "italian", ...current, defaultVoice: "giovanni" },
  { name: "italian_24l", ...large, defaultVoice: "giovanni" },
  { name: "portuguese", ...current, defaultVoice: "rafael" },
  { name: "portuguese_24l", ...large, defaultVoice: "rafael" },
  { name: "spanish", ...current, defaultVoice: "lola" },
  { name: "spanish_24l", ...large, defaultVoice: "lola" },
];

/** Where a predefined voice of a model is. */
export function voiceLocation(model: string, voice: string): string {
  return `${repository}/languages/${model}/embeddings/${voice}.safetensors@${voices}`;
}

/** A published model's configuration file, in the form that `parseModelConfig` reads. */
export function publishedConfigText(model: PublishedModel): string {
  const revision = model.name === "english_2026-04" ? "19f95fe2df36e79fbd9f10008595cc4c977a0fcc" : cloning;
  const tokenizer =
    model.name === "english_2026-01"
      ? `${repository}/tokenizer.model@d4fdd22ae8c8e1cb3634e150ebeff1dab2d16df3`
      : `${repository}/languages/${model.name}/tokenizer.model@${withoutCloning}`;
  return `weights_path: hf://kyutai/pocket-tts/languages/${model.name}/model.safetensors@${revision}
weights_path_without_voice_cloning: ${repository}/languages/${model.name}/model.safetensors@${withoutCloning}
pad_with_spaces_for_short_inputs: ${model.padWithSpacesForShortInputs ?? false}
remove_semicolons: ${model.removeSemicolons ?? false}
model_recommended_frames_after_eos: ${model.recommendedFramesAfterEos ?? null}
flow_lm:
  insert_bos_before_voice: ${model.insertBosBeforeVoice}
  dtype: float32
  flow: {dim: 512, depth: 6}
  transformer: {d_model: 1024, hidden_scale: 4, max_period: 10000, num_heads: 16, num_layers: ${model.layers}}
  lookup_table:
    dim: 1024
    n_bins: 4000
    tokenizer: sentencepiece
    tokenizer_path: ${tokenizer}
mimi:
  dtype: float32
  sample_rate: 24000
  inner_dim: ${model.innerDim}
  outer_dim: 512
  channels: 1
  frame_rate: 12.5
  seanet:
    dimension: 512
    channels: 1
    n_filters: 64
    n_residual_layers: 1
    ratios: [6, 5, 4]
    kernel_size: 7
    residual_kernel_size: 3
    last_kernel_size: 3
    dilation_base: 2
    pad_mode: constant
    compress: 2
  transformer:
    d_model: 512
    num_heads: 8
    num_layers: 2
    layer_scale: 0.01
    context: 250
    dim_feedforward: 2048
    input_dimension: 512
    output_dimensions: [512]
  quantizer:
    dimension: 32
    output_dimension: 512
`.replace(/^( *)(\w+): \{(.*)\}$/gm, (_, indent: string, key: string, inside: string) =>
    [`${indent}${key}:`, ...inside.split(", ").map((pair) => `${indent}  ${pair}`)].join("\n"),
  );
}
