import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { resamplePoly } from "../src/audio/resample-poly.ts";
import { parseModelConfig } from "../src/config/model-config.ts";
import type { WeightFormat } from "../src/model/linear.ts";
import { PocketModel } from "../src/model/pocket-model.ts";
import type { SafetensorsFile } from "../src/model/safetensors.ts";
import type { Probe } from "../src/model/transformer.ts";
import { goldenFolder, goldenSets, maxDifference, maxMagnitude, openTensors } from "./goldens.ts";

function openModel(folder: string, format: WeightFormat = "f32"): PocketModel {
  const config = parseModelConfig(readFileSync(`${folder}/config.yaml`, "utf8"));
  const file = openTensors(`${folder}/model.safetensors`);
  return new PocketModel(config, file, { encoder: true, format, capacity: 256 });
}

/** Puts a recorded cache [2, 1, T, heads, dim] into the language model. */
function restoreVoice(model: PocketModel, golden: SafetensorsFile): number {
  const { width, layers } = model.config.flowLm;
  let rows = 0;
  for (let layer = 0; layer < layers; layer++) {
    const name = `voice.state.transformer.layers.${layer}.self_attn.cache`;
    rows = golden.info(name).shape[2]!;
    const values = golden.floats(name);
    model.flowLm.transformer.restore(rows);
    const cache = model.flowLm.transformer.cache(model.core, layer);
    cache.keys.set(values.subarray(0, rows * width));
    cache.values.set(values.subarray(rows * width));
  }
  return rows;
}

for (const set of goldenSets) {
  const folder = goldenFolder(set);
  describe.skipIf(folder === undefined)(`model goldens of data/tts/${set}`, () => {
    const golden = folder === undefined ? undefined! : openTensors(`${folder}/golden.safetensors`);
    const model = folder === undefined ? undefined! : openModel(folder);
    const relative = (name: string, values: ArrayLike<number>) => {
      const wanted = golden.floats(name);
      return maxDifference(values, wanted) / maxMagnitude(wanted);
    };

    test("time embeddings are within 2e-5", () => {
      const { flowNet } = model.flowLm;
      expect(relative("flow.time_embed0_at0", flowNet.timeEmbedding(model.core, 0, 0))).toBeLessThan(2e-5);
      expect(relative("flow.time_embed1_at1", flowNet.timeEmbedding(model.core, 1, 1))).toBeLessThan(2e-5);
    });

    test("the text prefill, the first step and the cache after six are within 2e-5", () => {
      const { core, flowLm } = model;
      const { width, layers } = model.config.flowLm;
      const voiceRows = restoreVoice(model, golden);
      const seen = new Map<string, Float32Array>();
      const probe =
        (prefix: string): Probe =>
        (name, address, rows, wide) =>
          void seen.set(`${prefix}${name}`, core.floats(address, rows * wide).slice());
      flowLm.prefillText(core, golden.integers("lm.text_ids"), probe("lm.prefill."));
      const noise = golden.floats("lm.lsd1.noise");
      const recorded = golden.floats("lm.lsd1.latents");
      flowLm.flowNet.setSteps(core, 1);
      flowLm.startSpeech(core);
      for (let step = 0; step < 6; step++) {
        flowLm.advance(core, step === 0 ? probe("lm.step0.") : undefined);
        core.floats(flowLm.latent, 32).set(noise.subarray((step + 1) * 32, (step + 2) * 32));
        flowLm.sample(core);
        // The recorded latent goes back in: rounding differs from torch's, and the loop multiplies differences.
        core.floats(flowLm.latent, 32).set(recorded.subarray(step * 32, (step + 1) * 32));
      }
      expect(seen.size).toBe(2 * layers);
      for (const [name, values] of seen) expect(relative(name, values), name).toBeLessThan(2e-5);
      for (let layer = 0; layer < layers; layer++) {
        const name = `lm.kv_after.transformer.layers.${layer}.self_attn`;
        const wanted = golden.floats(name);
        const capacity = golden.info(name).shape[2]! * width;
        const used = (voiceRows + 27 + 6) * width;
        const { keys, values } = flowLm.transformer.cache(core, layer);
        const bound = 2e-5 * Math.max(maxMagnitude(wanted.subarray(0, used)), 1e-9);
        expect(maxDifference(keys, wanted.subarray(0, used))).toBeLessThan(bound);
        expect(maxDifference(values, wanted.subarray(capacity, capacity + used))).toBeLessThan(bound);
      }
    });

    test("caching a text alone leaves the keys and values of a whole prefill, and the same next step", () => {
      const { core, flowLm } = model;
      const { width, layers } = model.config.flowLm;
      const ids = golden.integers("lm.text_ids");
      const run = (fill: () => void) => {
        restoreVoice(model, golden);
        fill();
        flowLm.startSpeech(core);
        flowLm.advance(core);
        const caches = Array.from({ length: layers }, (_, layer) => {
          const { keys, values } = flowLm.transformer.cache(core, layer);
          return [keys.slice(), values.slice()];
        });
        return [core.floats(flowLm.hidden, width).slice(), caches];
      };
      expect(run(() => flowLm.cacheText(core, ids))).toEqual(run(() => flowLm.prefillText(core, ids)));
    });

    test.each([
      ["lsd1", 1],
      ["lsd3clamp", 3],
      ["temp0", 1],
    ] as const)("latents of case %s, teacher-forced with recorded noise, are within 1e-4", (name, steps) => {
      const { core, flowLm } = model;
      restoreVoice(model, golden);
      const noise = golden.floats(`lm.${name}.noise`);
      const hidden = golden.floats(`lm.${name}.hidden`);
      const logits = golden.floats(`lm.${name}.eos_logits`);
      const recorded = golden.floats(`lm.${name}.latents`);
      const { width } = model.config.flowLm;
      flowLm.flowNet.setSteps(core, steps);
      flowLm.prefillText(core, golden.integers("lm.text_ids"));
      const check = (row: number) => {
        const wanted = hidden.subarray(row * width, (row + 1) * width);
        expect(maxDifference(core.floats(flowLm.hidden, width), wanted)).toBeLessThan(
          2e-5 * maxMagnitude(hidden),
        );
        expect(Math.abs(flowLm.eosLogit(core) - logits[row]!)).toBeLessThan(1e-4 * maxMagnitude(logits));
      };
      check(0);
      flowLm.startSpeech(core);
      const latents: number[] = [];
      for (let step = 1; step <= 6; step++) {
        flowLm.advance(core);
        check(step);
        core.floats(flowLm.latent, 32).set(noise.subarray(step * 32, (step + 1) * 32));
        flowLm.sample(core);
        latents.push(...core.floats(flowLm.latent, 32));
        core.floats(flowLm.latent, 32).set(recorded.subarray((step - 1) * 32, step * 32));
      }
      expect(maxDifference(latents, golden.floats(`lm.${name}.latents`))).toBeLessThan(1e-4);
    });

    test("every module of the decoder is within 2e-5, its audio within 1e-4", () => {
      const { core, decoder } = model;
      decoder.reset(core);
      const latents = golden.floats("mimi.latents");
      const audio: number[] = [];
      let compared = 0;
      for (let frame = 0; frame < 6; frame++) {
        core.floats(decoder.latent, 32).set(latents.subarray(frame * 32, frame * 32 + 32));
        decoder.decode(core, (name, address, rows, width) => {
          if (frame > 1) return;
          const layer = /^layer(\d+)$/.exec(name)?.[1];
          const key = `mimi.frame${frame}.${layer === undefined ? name : `dtr${layer}`}`;
          if (!golden.has(key)) return;
          const values = core.floats(address, rows * width);
          // Only the transformer's goldens are time-major, as ours are.
          const wanted = layer === undefined ? transpose(values, rows, width) : values;
          expect(relative(key, wanted), key).toBeLessThan(2e-5);
          compared++;
        });
        audio.push(...core.floats(decoder.audio, 1920));
      }
      expect(compared).toBe([...golden.tensors.keys()].filter((name) => /^mimi\.frame\d/.test(name)).length);
      expect(maxDifference(audio, golden.floats("mimi.audio"))).toBeLessThan(1e-4);
    });

    test("the decoder's two parts give the same bits wherever they are divided", () => {
      const config = model.config;
      const file = openTensors(`${folder}/model.safetensors`);
      const latents = golden.floats("mimi.long.latents");
      const divided = (frontLayers: number) => {
        const parts = new PocketModel(config, file, { flowLm: false, frontLayers });
        const audio: number[] = [];
        for (let frame = 0; frame < 5; frame++) {
          parts.core.floats(parts.decoder.latent, 32).set(latents.subarray(frame * 32, frame * 32 + 32));
          parts.decoder.decode(parts.core);
          audio.push(...parts.core.floats(parts.decoder.audio, 1920));
        }
        return audio;
      };
      const whole = divided(config.mimi.layers);
      for (let layers = 0; layers < config.mimi.layers; layers++) expect(divided(layers)).toEqual(whole);
    });

    test("audio beyond the attention window is within 1e-4", () => {
      const { core, decoder } = model;
      decoder.reset(core);
      const latents = golden.floats("mimi.long.latents");
      const audio: number[] = [];
      for (let frame = 0; frame < 5; frame++) {
        core.floats(decoder.latent, 32).set(latents.subarray(frame * 32, frame * 32 + 32));
        decoder.decode(core);
        audio.push(...core.floats(decoder.audio, 1920));
      }
      expect(maxDifference(audio, golden.floats("mimi.long.audio"))).toBeLessThan(1e-4);
    });

    test("the voice encoder and its prefill are within 2e-5", () => {
      const { core, encoder, flowLm } = model;
      const { layers, insertBosBeforeVoice } = model.config.flowLm;
      const { innerDim } = model.config.mimi;
      const sound = golden.floats("voice.audio");
      const frames = Math.ceil(sound.length / 1920);
      const collected = new Map<string, number[]>([
        ["seanet_enc", []],
        ["enc_transformer", []],
      ]);
      const latents = new Float32Array(frames * innerDim);
      encoder.reset(core);
      for (let frame = 0; frame < frames; frame++) {
        const block = core.floats(encoder.audio, 1920).fill(0);
        block.set(sound.subarray(frame * 1920, (frame + 1) * 1920));
        encoder.encode(core, (name, address, rows, wide) =>
          collected.get(name)?.push(...core.floats(address, rows * wide)),
        );
        latents.set(core.floats(encoder.latent, innerDim), frame * innerDim);
      }
      for (const [name, values] of collected) {
        const wide = model.config.mimi.width;
        expect(relative(`voice.${name}`, transpose(values, values.length / wide, wide)), name).toBeLessThan(
          2e-5,
        );
      }
      expect(relative("voice.latent", transpose(latents, frames, innerDim))).toBeLessThan(2e-5);
      const conditioning = flowLm.projectSpeaker(core, latents);
      expect(relative("voice.conditioning", conditioning)).toBeLessThan(2e-5);
      flowLm.transformer.reset();
      if (insertBosBeforeVoice)
        flowLm.prefillRows(
          core,
          openTensors(`${folder}/model.safetensors`).floats("flow_lm.bos_before_voice"),
        );
      flowLm.prefillRows(core, conditioning);
      for (let layer = 0; layer < layers; layer++) {
        const { keys, values } = flowLm.transformer.cache(core, layer);
        const both = new Float32Array(keys.length * 2);
        both.set(keys);
        both.set(values, keys.length);
        expect(relative(`voice.state.transformer.layers.${layer}.self_attn.cache`, both)).toBeLessThan(2e-5);
      }
    });

    test("resampling follows scipy within 2e-6", () => {
      const rates = [...golden.tensors.keys()]
        .map((name) => /^resample\.(\d+)\.in$/.exec(name)?.[1])
        .filter((r) => r);
      expect(rates.length).toBeGreaterThan(1);
      for (const rate of rates) {
        const resampled = resamplePoly(golden.floats(`resample.${rate}.in`), Number(rate), 24_000);
        expect(maxDifference(resampled, golden.floats(`resample.${rate}.out`))).toBeLessThan(2e-6);
      }
    });
  });
}

/** [rows][columns] to [columns][rows]. */
function transpose(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}
