import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeRandomSpeechModel } from "../../../testkit/src/index.ts";
import { concatenate } from "../src/audio/concatenate.ts";
import { MemoryByteSource } from "../src/model/byte-source.ts";
import { SafetensorsFile } from "../src/model/safetensors.ts";
import { type WritableTensor, writeSafetensors } from "../src/model/safetensors-writer.ts";
import { joinCheckpoint } from "../src/model/split-checkpoint.ts";
import { openTts } from "../src/node/open-tts.ts";
import { verifyModel } from "../src/node/verify-model.ts";
import { maxDifference, maxMagnitude, openTensors } from "./goldens.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-split-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Tensors = Map<string, WritableTensor>;
const f32 = (shape: readonly number[], data: Float32Array): WritableTensor => ({ dtype: "F32", shape, data });

/** The published names undone, as training writes them; convolutions in a direction and a gain. */
function split(file: SafetensorsFile): { flowLm: Tensors; mimi: Tensors } {
  const unused = f32([2], Float32Array.of(1, 2));
  const flowLm: Tensors = new Map([
    ["num_ema_updates", unused],
    ["flow.w_s_t.weight", unused],
    ["condition_provider.conditioners.speaker_wavs.learnt_padding", unused],
  ]);
  const mimi: Tensors = new Map([
    ["model.quantizer.vq.layers.0.x", unused],
    ["quantizer.logvar_proj.weight", unused],
    ["wavlm_proj.weight", unused],
  ]);
  for (const { name, shape } of file.tensors.values()) {
    const values = file.floats(name);
    const [part, ...rest] = name.split(".");
    const own = rest.join(".");
    if (part === "flow_lm") {
      const renamed = own
        .replace(/^conditioner\.embed\./, "condition_provider.conditioners.transcript_in_segment.embed.")
        .replace(/^speaker_proj_weight$/, "condition_provider.conditioners.speaker_wavs.output_proj.weight")
        .replace(/^bos_before_voice$/, "fuser.padding_value")
        .replace(".self_attn.in_proj.weight", ".self_attn.in_proj_weight");
      flowLm.set(renamed, f32(shape, values));
      continue;
    }
    const deep = own
      .replace(".convtr.", ".convtr.convtr.")
      .replace(/\.conv\.(?!conv)/, ".conv.conv.")
      .replace("in_proj.weight", "in_proj_weight");
    if (!/conv(tr)?\.weight$/.test(deep) || own.includes("sample")) {
      mimi.set(`model.${deep}`, f32(shape, values));
      continue;
    }
    const rows = shape[0]!;
    const length = values.length / rows;
    const gains = Float32Array.from({ length: rows }, (_, row) =>
      Math.hypot(...values.subarray(row * length, (row + 1) * length)),
    );
    mimi.set(`model.${deep}_g`, f32([rows, 1, 1], gains));
    mimi.set(
      `model.${deep}_v`,
      f32(
        shape,
        values.map((value) => 3 * value),
      ),
    );
  }
  return { flowLm, mimi };
}

describe("a checkpoint in two files", () => {
  const model = join(folder, "model");
  let parts: ReturnType<typeof split>;
  beforeAll(() => {
    writeRandomSpeechModel(model);
    parts = split(openTensors(join(model, "model.safetensors")));
    writeFileSync(join(model, "lm.safetensors"), writeSafetensors(parts.flowLm));
    writeFileSync(join(model, "mimi.safetensors"), writeSafetensors(parts.mimi));
  });
  const source = (tensors: Tensors) => new MemoryByteSource(writeSafetensors(tensors));

  test("becomes the published file, weight norms folded, whatever part of it is read", () => {
    const whole = openTensors(join(model, "model.safetensors"));
    const bytes = joinCheckpoint(source(parts.flowLm), source(parts.mimi));
    const joined = SafetensorsFile.open(bytes);
    expect([...joined.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
    for (const { name, shape } of whole.tensors.values()) {
      const wanted = whole.floats(name);
      expect(maxDifference(joined.floats(name, shape), wanted), name).toBeLessThanOrEqual(
        1e-6 * maxMagnitude(wanted),
      );
    }
    const all = new Uint8Array(bytes.byteLength);
    bytes.readInto(all, 0);
    for (let at = 0; at < all.length - 5000; at += 77_777) {
      const piece = new Uint8Array(5000);
      bytes.readInto(piece, at);
      expect(Buffer.compare(piece, all.subarray(at, at + 5000))).toBe(0);
    }
    expect(() => bytes.readInto(new Uint8Array(2), all.length - 1)).toThrow(RangeError);
  });

  test("speaks and is verified as one is; one file of the two is refused", async () => {
    const config = join(model, "config.yaml");
    const before = readFileSync(config, "utf8");
    const speak = async () => {
      await using tts = await openTts({ model, threads: 2 });
      return await concatenate(
        tts.speak("eta oin", { seed: 3, sampling: { eosThreshold: -1e9, framesAfterEos: 3 } }),
      );
    };
    const wanted = await speak();
    const pair = before
      .replace(/^weights_path: .*$/m, "weights_path: null")
      .replace(/^flow_lm:$/m, "flow_lm:\n  weights_path: lm.safetensors");
    writeFileSync(config, pair);
    await expect(speak()).rejects.toMatchObject({
      code: "tts/config-invalid",
      message: /mimi\.weights_path/,
    });
    writeFileSync(config, pair.replace(/^mimi:$/m, "mimi:\n  weights_path: mimi.safetensors"));
    expect(maxDifference(await speak(), wanted)).toBeLessThan(1e-3 * maxMagnitude(wanted));
    expect(verifyModel(model).filter(({ ok }) => !ok)).toEqual([]);
  });

  test("is refused where a gain has no direction, or two tensors become one", () => {
    const { flowLm, mimi } = parts;
    const [direction] = [...mimi.keys()].filter((name) => name.endsWith("_v"));
    const lame = new Map(mimi);
    lame.delete(direction!);
    const malformed = expect.objectContaining({ code: "tts/model-malformed" });
    expect(() => joinCheckpoint(source(flowLm), source(lame))).toThrow(malformed);
    const twice = new Map(flowLm).set("bos_before_voice", f32([1], Float32Array.of(1)));
    expect(() => joinCheckpoint(source(twice), source(mimi))).toThrow(malformed);
  });
});
