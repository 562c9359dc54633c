import { TtsError } from "../errors.ts";
import { parseYaml, type YamlValue } from "./yaml-subset.ts";

/** The shape of a Pocket TTS model, checked. Names are the configuration file's, in camel case. */
export interface ModelConfig {
  readonly weightsPath: string | null;
  readonly weightsPathWithoutVoiceCloning: string | null;
  readonly padWithSpacesForShortInputs: boolean;
  readonly removeSemicolons: boolean;
  readonly recommendedFramesAfterEos: number | null;
  readonly flowLm: {
    readonly weightsPath: string | null;
    readonly insertBosBeforeVoice: boolean;
    readonly flowDim: number;
    readonly flowDepth: number;
    readonly width: number;
    readonly heads: number;
    readonly layers: number;
    readonly feedForward: number;
    readonly maxPeriod: number;
    readonly vocabulary: number;
    readonly tokenizerPath: string;
  };
  readonly mimi: {
    readonly weightsPath: string | null;
    readonly sampleRate: number;
    readonly frameRate: number;
    readonly innerDim: number;
    readonly width: number;
    readonly heads: number;
    readonly layers: number;
    readonly feedForward: number;
    readonly context: number;
    readonly maxPeriod: number;
    readonly filters: number;
    readonly ratios: readonly number[];
    readonly kernel: number;
    readonly residualKernel: number;
    readonly lastKernel: number;
    readonly compress: number;
    readonly latentDim: number;
  };
}

/** Samples of one frame. */
export function frameSamples(config: ModelConfig): number {
  return Math.round(config.mimi.sampleRate / config.mimi.frameRate);
}

/** Mimi transformer steps of one frame: what the SEANet's ratios leave to the upsampler. */
export function stepsPerFrame(config: ModelConfig): number {
  return frameSamples(config) / config.mimi.ratios.reduce((product, ratio) => product * ratio, 1);
}

/**
 * Reads a model configuration. Unknown keys are errors, as are values that the model code does not implement.
 * @throws TtsError `tts/config-invalid`
 */
export function parseModelConfig(text: string, label = "model configuration"): ModelConfig {
  const top = new Section(parseYaml(text, label), "", label);
  const flowLm = top.section("flow_lm");
  flowLm.fixed("dtype", "float32");
  const flow = flowLm.section("flow");
  const lm = flowLm.section("transformer");
  const table = flowLm.section("lookup_table");
  table.fixed("tokenizer", "sentencepiece");
  const mimi = top.section("mimi");
  mimi.fixed("dtype", "float32");
  mimi.fixed("channels", 1);
  const seanet = mimi.section("seanet");
  seanet.fixed("channels", 1);
  seanet.fixed("n_residual_layers", 1);
  seanet.fixed("pad_mode", "constant");
  seanet.count("dilation_base", 2);
  const transformer = mimi.section("transformer");
  transformer.ignored("layer_scale");
  const quantizer = mimi.section("quantizer");

  const width = lm.count("d_model");
  const mimiWidth = transformer.count("d_model");
  const config: ModelConfig = {
    weightsPath: top.text("weights_path"),
    weightsPathWithoutVoiceCloning: top.text("weights_path_without_voice_cloning"),
    padWithSpacesForShortInputs: top.flag("pad_with_spaces_for_short_inputs", false),
    removeSemicolons: top.flag("remove_semicolons", false),
    recommendedFramesAfterEos: top.optionalCount("model_recommended_frames_after_eos"),
    flowLm: {
      weightsPath: flowLm.text("weights_path"),
      insertBosBeforeVoice: flowLm.flag("insert_bos_before_voice", false),
      flowDim: flow.count("dim"),
      flowDepth: flow.count("depth"),
      width,
      heads: lm.count("num_heads"),
      layers: lm.count("num_layers"),
      feedForward: Math.trunc(width * lm.number("hidden_scale", 4)),
      maxPeriod: lm.number("max_period", 10_000),
      vocabulary: table.count("n_bins"),
      tokenizerPath:
        table.text("tokenizer_path") ?? top.fail("flow_lm.lookup_table.tokenizer_path is missing"),
    },
    mimi: {
      weightsPath: mimi.text("weights_path"),
      sampleRate: mimi.count("sample_rate"),
      frameRate: mimi.number("frame_rate"),
      innerDim: mimi.count("inner_dim", seanet.count("dimension")),
      width: mimiWidth,
      heads: transformer.count("num_heads"),
      layers: transformer.count("num_layers"),
      feedForward: transformer.count("dim_feedforward"),
      context: transformer.count("context"),
      maxPeriod: transformer.number("max_period", 10_000),
      filters: seanet.count("n_filters"),
      ratios: seanet.counts("ratios"),
      kernel: seanet.count("kernel_size"),
      residualKernel: seanet.count("residual_kernel_size"),
      lastKernel: seanet.count("last_kernel_size"),
      compress: seanet.count("compress", 2),
      latentDim: quantizer.count("dimension"),
    },
  };
  table.equal("dim", width);
  mimi.equal("outer_dim", mimiWidth);
  seanet.equal("dimension", mimiWidth);
  transformer.equal("input_dimension", mimiWidth);
  quantizer.equal("output_dimension", mimiWidth);
  const outputs = transformer.counts("output_dimensions");
  if (outputs.length !== 1 || outputs[0] !== mimiWidth)
    top.fail("mimi.transformer.output_dimensions must be [d_model]");
  for (const section of [top, flowLm, flow, lm, table, mimi, seanet, transformer, quantizer])
    section.finish();
  checkShape(config, (reason) => top.fail(reason));
  return config;
}

function checkShape(config: ModelConfig, fail: (reason: string) => never): void {
  const { flowLm, mimi } = config;
  const samples = mimi.sampleRate / mimi.frameRate;
  if (!Number.isInteger(samples))
    fail(`${mimi.sampleRate} Hz at ${mimi.frameRate} frames/s is no whole frame`);
  const hop = mimi.ratios.reduce((product, ratio) => product * ratio, 1);
  if (samples % hop !== 0 || samples / hop < 4)
    fail(`ratios [${mimi.ratios}] do not divide a frame of ${samples}`);
  if (mimi.ratios.length > 8 || mimi.ratios.some((ratio) => ratio < 1 || ratio > 64))
    fail("ratios are out of range");
  for (const [name, width, heads] of [
    ["flow_lm", flowLm.width, flowLm.heads],
    ["mimi", mimi.width, mimi.heads],
  ] as const) {
    if (width % heads !== 0 || (width / heads) % 4 !== 0) {
      fail(`${name}: a width of ${width} and ${heads} heads give no head size that is a multiple of 4`);
    }
  }
  const widths = [flowLm.flowDim, flowLm.feedForward, mimi.feedForward, mimi.latentDim];
  if (widths.some((each) => each % 4 !== 0)) fail(`widths ${widths.join(", ")} must be multiples of 4`);
  const largest = [
    flowLm.width,
    flowLm.feedForward,
    mimi.width,
    mimi.feedForward,
    flowLm.flowDim,
    mimi.innerDim,
  ];
  if (
    largest.some((each) => each > 16_384) ||
    flowLm.layers > 128 ||
    mimi.layers > 64 ||
    flowLm.flowDepth > 64
  ) {
    fail("the model is larger than any that is supported (width 16384, 128 layers)");
  }
  if (flowLm.vocabulary > 1_000_000 || mimi.context > 65_536 || mimi.filters > 4096)
    fail("a size is out of range");
  if (mimi.kernel > 64 || mimi.residualKernel > 64 || mimi.lastKernel > 64)
    fail("a kernel is longer than 64");
}

/** One map of the file: typed reads, and at the end a complaint about what nobody read. */
class Section {
  readonly #values: ReadonlyMap<string, YamlValue>;
  readonly #prefix: string;
  readonly #label: string;
  readonly #read = new Set<string>();

  constructor(map: object, prefix: string, label: string) {
    this.#values = new Map(Object.entries(map));
    this.#prefix = prefix;
    this.#label = label;
  }

  fail(reason: string): never {
    throw new TtsError("tts/config-invalid", `${this.#label}: ${reason}.`);
  }

  section(key: string): Section {
    const value = this.#take(key);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return this.fail(`"${this.#prefix}${key}" must be a map`);
    }
    return new Section(value, `${this.#prefix}${key}.`, this.#label);
  }

  count(key: string, fallback?: number): number {
    const value = this.#take(key) ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    return this.fail(`"${this.#prefix}${key}" must be a whole number above 0, is ${JSON.stringify(value)}`);
  }

  optionalCount(key: string): number | null {
    const value = this.#take(key) ?? null;
    if (value === null) return null;
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    return this.fail(`"${this.#prefix}${key}" must be a whole number, is ${JSON.stringify(value)}`);
  }

  number(key: string, fallback?: number): number {
    const value = this.#take(key) ?? fallback;
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
    return this.fail(`"${this.#prefix}${key}" must be a number above 0, is ${JSON.stringify(value)}`);
  }

  counts(key: string): number[] {
    const value = this.#take(key);
    if (
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((each) => Number.isSafeInteger(each) && (each as number) > 0)
    )
      return value as number[];
    return this.fail(`"${this.#prefix}${key}" must be a list of whole numbers`);
  }

  text(key: string): string | null {
    const value = this.#take(key) ?? null;
    if (value === null || typeof value === "string") return value;
    return this.fail(`"${this.#prefix}${key}" must be text`);
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#take(key) ?? fallback;
    if (typeof value === "boolean") return value;
    return this.fail(`"${this.#prefix}${key}" must be true or false`);
  }

  fixed(key: string, only: string | number): void {
    const value = this.#take(key) ?? only;
    if (value !== only)
      this.fail(`"${this.#prefix}${key}" is ${JSON.stringify(value)}; only ${only} is supported`);
  }

  equal(key: string, wanted: number): void {
    const value = this.#take(key) ?? wanted;
    if (value !== wanted)
      this.fail(`"${this.#prefix}${key}" is ${JSON.stringify(value)}, expected ${wanted}`);
  }

  ignored(key: string): void {
    this.#read.add(key);
  }

  finish(): void {
    for (const key of this.#values.keys()) {
      if (!this.#read.has(key)) this.fail(`unknown key "${this.#prefix}${key}"`);
    }
  }

  #take(key: string): YamlValue | undefined {
    this.#read.add(key);
    return this.#values.get(key);
  }
}
