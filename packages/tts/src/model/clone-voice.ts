import { resamplePoly } from "../audio/resample-poly.ts";
import { frameSamples } from "../config/model-config.ts";
import { TtsError } from "../errors.ts";
import type { VoiceCache } from "../voice/voice-state.ts";
import type { PocketModel } from "./pocket-model.ts";
import type { SafetensorsFile } from "./safetensors.ts";

/** Seconds of a recording that make a voice; the rest is left out. */
export const maxCloneSeconds = 30;

/**
 * Makes a voice from a recording: first 30 s, mono, resampled as the reference does, encoded by Mimi, projected, and run through the
 * language model. The model must have been opened with its encoder.
 * @param pcm mono samples at `sampleRate`
 * @throws TtsError `tts/option-invalid` for an empty or non-finite recording
 */
export function cloneVoice(
  model: PocketModel,
  file: SafetensorsFile,
  pcm: Float32Array,
  sampleRate: number,
): VoiceCache {
  const { core, config, encoder, flowLm } = model;
  const { width, layers, insertBosBeforeVoice } = config.flowLm;
  const { innerDim } = config.mimi;
  // Cut before resampling: the cost is bounded by the limit, not by the upload.
  const clip = pcm.subarray(0, maxCloneSeconds * sampleRate);
  if (clip.length === 0 || !clip.every(Number.isFinite)) {
    throw new TtsError("tts/option-invalid", "The recording is empty or holds values that are not finite.");
  }
  const sound = resamplePoly(clip, sampleRate, config.mimi.sampleRate);
  const samples = frameSamples(config);
  const frames = Math.ceil(sound.length / samples);
  const latents = new Float32Array(frames * innerDim);
  encoder.reset(core);
  for (let frame = 0; frame < frames; frame++) {
    const block = core.floats(encoder.audio, samples).fill(0);
    block.set(sound.subarray(frame * samples, (frame + 1) * samples));
    encoder.encode(core);
    latents.set(core.floats(encoder.latent, innerDim), frame * innerDim);
  }
  const conditioning = flowLm.projectSpeaker(core, latents);
  flowLm.transformer.reset();
  if (insertBosBeforeVoice) flowLm.prefillRows(core, file.floats("flow_lm.bos_before_voice", [1, 1, width]));
  flowLm.prefillRows(core, conditioning);
  const keys: Float32Array[] = [];
  const values: Float32Array[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const cache = flowLm.transformer.cache(core, layer);
    keys.push(cache.keys.slice());
    values.push(cache.values.slice());
  }
  return { kind: "cache", rows: frames + (insertBosBeforeVoice ? 1 : 0), keys, values };
}
