import { type ModelConfig, stepsPerFrame } from "../config/model-config.ts";

/** Name and shape of every tensor that a model of this configuration consists of, in the reference's order of modules. */
export function tensorList(config: ModelConfig): { name: string; shape: number[] }[] {
  const { flowLm, mimi } = config;
  const list: { name: string; shape: number[] }[] = [];
  const add = (name: string, ...shape: number[]) => list.push({ name, shape });
  const withBias = (name: string, n: number, ...rest: number[]) => {
    add(`${name}.weight`, n, ...rest);
    add(`${name}.bias`, n);
  };
  const layers = (prefix: string, count: number, width: number, feedForward: number, scaled: boolean) => {
    for (let layer = 0; layer < count; layer++) {
      const name = `${prefix}.layers.${layer}`;
      add(`${name}.self_attn.in_proj.weight`, 3 * width, width);
      add(`${name}.self_attn.out_proj.weight`, width, width);
      withBias(`${name}.norm1`, width);
      withBias(`${name}.norm2`, width);
      add(`${name}.linear1.weight`, feedForward, width);
      add(`${name}.linear2.weight`, width, feedForward);
      if (!scaled) continue;
      add(`${name}.layer_scale_1.scale`, width);
      add(`${name}.layer_scale_2.scale`, width);
    }
  };

  const { width, flowDim } = flowLm;
  const { latentDim } = mimi;
  add("flow_lm.bos_emb", latentDim);
  if (flowLm.insertBosBeforeVoice) add("flow_lm.bos_before_voice", 1, 1, width);
  add("flow_lm.speaker_proj_weight", width, mimi.innerDim);
  add("flow_lm.emb_std", latentDim);
  add("flow_lm.emb_mean", latentDim);
  add("flow_lm.conditioner.embed.weight", flowLm.vocabulary + 1, width);
  const net = "flow_lm.flow_net";
  for (const index of [0, 1]) {
    const name = `${net}.time_embed.${index}`;
    add(`${name}.freqs`, 128);
    withBias(`${name}.mlp.0`, flowDim, 256);
    withBias(`${name}.mlp.2`, flowDim, flowDim);
    add(`${name}.mlp.3.alpha`, flowDim);
  }
  withBias(`${net}.cond_embed`, flowDim, width);
  withBias(`${net}.input_proj`, flowDim, latentDim);
  for (let block = 0; block < flowLm.flowDepth; block++) {
    const name = `${net}.res_blocks.${block}`;
    withBias(`${name}.in_ln`, flowDim);
    withBias(`${name}.mlp.0`, flowDim, flowDim);
    withBias(`${name}.mlp.2`, flowDim, flowDim);
    withBias(`${name}.adaLN_modulation.1`, 3 * flowDim, flowDim);
  }
  withBias(`${net}.final_layer.linear`, latentDim, flowDim);
  withBias(`${net}.final_layer.adaLN_modulation.1`, 2 * flowDim, flowDim);
  add("flow_lm.input_linear.weight", width, latentDim);
  layers("flow_lm.transformer", flowLm.layers, width, flowLm.feedForward, false);
  withBias("flow_lm.out_norm", width);
  withBias("flow_lm.out_eos", 1, width);

  const residual = (name: string, channels: number) => {
    const hidden = Math.floor(channels / mimi.compress);
    withBias(`${name}.block.1.conv`, hidden, channels, mimi.residualKernel);
    withBias(`${name}.block.3.conv`, channels, hidden, 1);
  };
  const stages = mimi.ratios.length;
  let channels = mimi.filters;
  withBias("mimi.encoder.model.0.conv", channels, 1, mimi.kernel);
  for (const [stage, ratio] of mimi.ratios.toReversed().entries()) {
    residual(`mimi.encoder.model.${1 + 3 * stage}`, channels);
    withBias(`mimi.encoder.model.${3 + 3 * stage}.conv`, 2 * channels, channels, 2 * ratio);
    channels *= 2;
  }
  withBias(`mimi.encoder.model.${2 + 3 * stages}.conv`, mimi.width, channels, mimi.lastKernel);
  withBias("mimi.decoder.model.0.conv", channels, mimi.width, mimi.kernel);
  for (const [stage, ratio] of mimi.ratios.entries()) {
    const name = `mimi.decoder.model.${2 + 3 * stage}.convtr`;
    add(`${name}.weight`, channels, channels / 2, 2 * ratio);
    channels /= 2;
    add(`${name}.bias`, channels);
    residual(`mimi.decoder.model.${3 + 3 * stage}`, channels);
  }
  withBias(`mimi.decoder.model.${2 + 3 * stages}.conv`, 1, channels, mimi.lastKernel);
  for (const side of ["encoder", "decoder"]) {
    layers(`mimi.${side}_transformer.transformer`, mimi.layers, mimi.width, mimi.feedForward, true);
  }
  const steps = stepsPerFrame(config);
  add("mimi.quantizer.output_proj.weight", mimi.width, latentDim, 1);
  add("mimi.downsample.conv.conv.weight", mimi.innerDim, mimi.width, 2 * steps);
  add("mimi.upsample.convtr.convtr.weight", mimi.width, 1, 2 * steps);
  return list;
}
