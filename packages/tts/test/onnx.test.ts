import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeRandomSpeechModel } from "../../../testkit/src/index.ts";
import { concatenate } from "../src/audio/concatenate.ts";
import { parseModelConfig } from "../src/config/model-config.ts";
import { exportModel } from "../src/node/export-model.ts";
import { loadOnnxRuntime, openOnnx } from "../src/node/open-onnx.ts";
import { verifyOnnx } from "../src/node/verify-onnx.ts";
import { OnnxModel } from "../src/onnx/onnx-model.ts";
import { type OnnxRuntime, OnnxSessions } from "../src/onnx/onnx-runtime.ts";
import { ProtobufReader } from "../src/text/protobuf-reader.ts";
import { readVoice } from "../src/voice/voice-state.ts";
import { goldenFolder, goldenSets, maxDifference, maxMagnitude, openTensors } from "./goldens.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Fields of a message: varints as numbers, the rest as bytes. */
function fields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const all = new Map<number, (number | Uint8Array)[]>();
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    const value =
      reader.wireType === 2 ? reader.bytes() : reader.wireType === 5 ? reader.float() : reader.varint();
    all.set(reader.field, [...(all.get(reader.field) ?? []), value]);
  }
  return all;
}
const messages = (bytes: Uint8Array, field: number) =>
  ((fields(bytes).get(field) ?? []) as Uint8Array[]).map((each) => fields(each));
const text = (value: number | Uint8Array | undefined) => new TextDecoder().decode(value as Uint8Array);

describe.each(["F32", "BF16"] as const)("graphs exported from %s weights", (dtype) => {
  const model = join(folder, dtype);
  const out = join(folder, `${dtype}-onnx`);
  beforeAll(() => {
    writeRandomSpeechModel(model, undefined, { dtype });
    exportModel(model, out);
  });

  test("name every value once, before it is used, and every weight where the file has it", () => {
    const weights = openTensors(join(model, "model.safetensors"));
    const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
    expect(manifest.graphs.map(({ name }: { name: string }) => name)).toEqual([
      "text_conditioner",
      "flow_lm_main",
      "flow_lm_flow",
      "mimi_encoder",
      "mimi_decoder",
    ]);
    const used = new Set<string>();
    for (const graph of manifest.graphs) {
      const [body] = fields(readFileSync(join(out, graph.file))).get(7)! as Uint8Array[];
      const known = new Set<string>(graph.inputs.map(({ name }: { name: string }) => name));
      for (const tensor of messages(body!, 5)) {
        const name = text(tensor.get(8)![0]);
        known.add(name);
        if (!tensor.has(14)) continue;
        const place = Object.fromEntries(
          (tensor.get(13) as Uint8Array[]).map((each) => {
            const entry = fields(each);
            return [text(entry.get(1)![0]), text(entry.get(2)![0])];
          }),
        );
        const info = weights.info(name, tensor.get(1) as number[]);
        expect(place).toEqual({
          location: "model.safetensors",
          offset: `${info.offset}`,
          length: `${info.byteLength}`,
        });
        used.add(name);
      }
      for (const node of messages(body!, 1)) {
        for (const input of node.get(1) ?? []) expect(known).toContain(text(input));
        for (const output of node.get(2)!) {
          expect(known).not.toContain(text(output));
          known.add(text(output));
        }
      }
      for (const { name } of graph.outputs) expect(known).toContain(name);
    }
    // What speaking does not need: the begin of a voice goes into the voice.
    const unused = [...weights.tensors.keys()].filter((name) => !used.has(name));
    expect(unused).toEqual(["flow_lm.bos_before_voice"]);
  });

  test("lie beside a link to the weights, and never over another file", () => {
    expect(statSync(join(out, "model.safetensors")).ino).toBe(statSync(join(model, "model.safetensors")).ino);
    expect(() => exportModel(model, out)).not.toThrow();
    const taken = mkdtempSync(join(folder, "taken-"));
    writeFileSync(join(taken, "model.safetensors"), "mine");
    expect(() => exportModel(model, taken)).toThrow(expect.objectContaining({ code: "tts/option-invalid" }));
    expect(readFileSync(join(taken, "model.safetensors"), "utf8")).toBe("mine");
  });
});

test("8-bit graphs refer to rounded projections in a file of their own, within half a step of the weights", () => {
  const model = join(folder, "narrow");
  const out = join(folder, "narrow-onnx");
  writeRandomSpeechModel(model, undefined, { dtype: "F32" });
  const manifest = exportModel(model, out, { int8: true });
  const weights = openTensors(join(model, "model.safetensors"));
  const narrow = readFileSync(join(out, manifest.quantized!));
  const [body] = fields(readFileSync(join(out, "flow_lm_main.onnx"))).get(7)! as Uint8Array[];
  const tensors = new Map(messages(body!, 5).map((each) => [text(each.get(8)![0]), each]));
  const nodes = messages(body!, 1);
  let checked = 0;
  for (const [name, tensor] of tensors) {
    if (!name.endsWith(".int8")) continue;
    expect(tensors).not.toContain(name.slice(0, -5));
    const [k, n] = tensor.get(1) as [number, number];
    const exact = weights.floats(name.slice(0, -5), [n, k]);
    const place = new Map(
      (tensor.get(13) as Uint8Array[]).map((each) => [
        text(fields(each).get(1)![0]),
        text(fields(each).get(2)![0]),
      ]),
    );
    expect(place.get("location")).toBe(manifest.quantized);
    const start = Number(place.get("offset"));
    let worst = 0;
    for (let row = 0; row < n; row++) {
      const values = exact.subarray(row * k, (row + 1) * k);
      const step = maxMagnitude(values) / 127;
      for (let i = 0; i < k; i++) {
        const restored = (narrow[start + i * n + row]! - 128) * step;
        worst = Math.max(worst, Math.abs(restored - values[i]!) / step);
      }
    }
    expect(worst).toBeLessThan(0.501);
    expect(worst).toBeGreaterThan(0.3);
    checked++;
  }
  const layers = weights.has("flow_lm.transformer.layers.2.norm1.weight") ? 3 : 2;
  expect(checked).toBe(4 * layers);
  expect(nodes.filter((node) => text(node.get(4)![0]) === "MatMulInteger").length).toBe(checked);
});

test("sessions check names and shapes, and pass a runtime's refusal on", async () => {
  class Tensor {
    readonly type: string;
    readonly data: unknown;
    readonly dims: readonly number[];
    constructor(type: string, data: unknown, dims: readonly number[]) {
      this.type = type;
      this.data = data;
      this.dims = dims;
    }
  }
  const graph = {
    name: "id",
    file: "id.onnx",
    inputs: [{ name: "x", type: "float", shape: ["n", 2] }],
    outputs: [],
  } as const;
  const manifest = { version: 1, weights: "w", graphs: [graph] } as const;
  let refuses = false;
  const runtime: OnnxRuntime = {
    Tensor,
    InferenceSession: {
      async create() {
        if (refuses) throw new Error("no such operator");
        return { inputNames: ["x"], outputNames: ["y"], run: async (feeds) => ({ y: feeds["x"]! }) };
      },
    },
  };
  const read = () => new Uint8Array(0);
  const sessions = await OnnxSessions.load(runtime, manifest, read);
  const x = sessions.floats(new Float32Array(6), [3, 2]);
  expect((await sessions.run("id", { x }))["y"]).toBe(x);
  const invalid = expect.objectContaining({ code: "tts/tensor-invalid" });
  expect(() => sessions.floats(new Float32Array(5), [3, 2])).toThrow(invalid);
  await expect(sessions.run("id", {})).rejects.toEqual(invalid);
  await expect(sessions.run("id", { x, z: x })).rejects.toEqual(invalid);
  await expect(sessions.run("id", { x: sessions.floats(new Float32Array(6), [2, 3]) })).rejects.toEqual(
    invalid,
  );
  await expect(sessions.run("other", { x })).rejects.toMatchObject({ code: "tts/engine-unavailable" });
  refuses = true;
  await expect(OnnxSessions.load(runtime, manifest, read)).rejects.toThrow(/no such operator/);
});

test("a runtime that is not there is said to be missing", async () => {
  await expect(loadOnnxRuntime(join(folder, "nowhere"))).rejects.toMatchObject({
    code: "tts/engine-unavailable",
  });
});

const found = await loadOnnxRuntime().catch(() => undefined);

describe.skipIf(found === undefined || goldenFolder("tiny") === undefined)(
  "on ONNX Runtime (skipped where it is not installed; LONGWAVE_TTS_ORT_LIB names its folder)",
  () => {
    test.each(goldenSets)("the graphs of %s are within the native engine's limits", async (set) => {
      const model = goldenFolder(set)!;
      const out = join(folder, set);
      const manifest = exportModel(model, out);
      const locate = found!.name === "onnxruntime-node" ? (file: string) => join(out, file) : undefined;
      const sessions = await OnnxSessions.load(
        found!.runtime,
        manifest,
        (file) => new Uint8Array(readFileSync(join(out, file))),
        { locate },
      );
      const golden = openTensors(`${model}/golden.safetensors`);
      const config = parseModelConfig(readFileSync(`${model}/config.yaml`, "utf8"));
      const voice = readVoice(openTensors(`${model}/voice_state.safetensors`), config, "voice");
      for (const [name, steps] of [
        ["lsd1", 1],
        ["lsd3clamp", 3],
        ["temp0", 1],
      ] as const) {
        const onnx = new OnnxModel(sessions, config);
        await onnx.start(voice);
        await onnx.prefill(golden.integers("lm.text_ids"));
        const noise = golden.floats(`lm.${name}.noise`);
        const recorded = golden.floats(`lm.${name}.latents`);
        let before: Float32Array | undefined;
        for (let step = 0; step < 6; step++) {
          const { hidden } = await onnx.step(before);
          const latent = await onnx.sample(hidden, noise.slice((step + 1) * 32, (step + 2) * 32), steps);
          before = recorded.slice(step * 32, (step + 1) * 32);
          expect(maxDifference(latent, before)).toBeLessThan(1e-4);
        }
      }
      for (const which of ["mimi", "mimi.long"]) {
        const onnx = new OnnxModel(sessions, config);
        onnx.resetDecoder();
        const latents = golden.floats(`${which}.latents`);
        const audio: number[] = [];
        for (let at = 0; at < latents.length; at += 32)
          audio.push(...(await onnx.decode(latents.slice(at, at + 32))));
        expect(maxDifference(audio, golden.floats(`${which}.audio`))).toBeLessThan(1e-4);
      }
      const sound = golden.floats("voice.audio");
      const padded = new Float32Array(Math.ceil(sound.length / 1920) * 1920);
      padded.set(sound);
      const { conditioning } = await sessions.run("mimi_encoder", {
        audio: sessions.floats(padded, [1, 1, padded.length]),
      });
      const wanted = golden.floats("voice.conditioning");
      expect(maxDifference(conditioning!.data as Float32Array, wanted)).toBeLessThan(
        2e-5 * maxMagnitude(wanted),
      );
      await sessions.close();
    });

    test.each(goldenSets)("8-bit graphs of %s stay near the exact ones", async (set) => {
      const model = goldenFolder(set)!;
      const out = join(folder, `${set}-int8`);
      const manifest = exportModel(model, out, { int8: true });
      const locate = found!.name === "onnxruntime-node" ? (file: string) => join(out, file) : undefined;
      const read = (file: string) => new Uint8Array(readFileSync(join(out, file)));
      const sessions = await OnnxSessions.load(found!.runtime, manifest, read, { locate });
      const golden = openTensors(`${model}/golden.safetensors`);
      const config = parseModelConfig(readFileSync(`${model}/config.yaml`, "utf8"));
      const voice = readVoice(openTensors(`${model}/voice_state.safetensors`), config, "voice");
      const onnx = new OnnxModel(sessions, config);
      await onnx.start(voice);
      await onnx.prefill(golden.integers("lm.text_ids"));
      const hidden = golden.floats("lm.lsd1.hidden");
      const latents = golden.floats("lm.lsd1.latents");
      const { width } = config.flowLm;
      let largest = 0;
      for (let step = 0; step < 6; step++) {
        const before = step === 0 ? undefined : latents.slice((step - 1) * 32, step * 32);
        const result = await onnx.step(before);
        const wanted = hidden.subarray((step + 1) * width, (step + 2) * width);
        largest = Math.max(largest, maxDifference(result.hidden, wanted));
      }
      // Eight bits of activations and weights through two layers: a few hundredths, never nothing.
      expect(largest).toBeLessThan(0.1 * maxMagnitude(hidden));
      expect(largest).toBeGreaterThan(1e-4);
      await sessions.close();
    });

    test("every graph passes on zeros, and a damaged one is reported", async () => {
      const out = join(folder, "F32-onnx");
      const checks = await verifyOnnx(out, 1920);
      expect(checks.map(({ ok }) => ok)).toEqual(Array(6).fill(true));
      writeFileSync(join(out, "flow_lm_flow.onnx"), "damaged");
      const again = await verifyOnnx(out, 1920);
      expect(again.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["onnx flow_lm_flow"]);
    });

    test("the engine speaks what the native one speaks", async () => {
      const { openTts } = await import("../src/node/open-tts.ts");
      const model = join(folder, "F32");
      exportModel(model);
      const options = { text: "one two three", seed: 3, sampling: { framesAfterEos: 1, eosThreshold: -6.3 } };
      await using engine = await openTts({ engine: "onnx", model });
      await using native = await openTts({ model, threads: 1 });
      const spoken = await concatenate(engine.speak(options.text, options));
      const wanted = await concatenate(native.speak(options.text, options));
      expect(engine.engines[0]).toBe("onnx");
      expect(spoken.length).toBe(wanted.length);
      expect(maxDifference(spoken.subarray(0, 4 * 1920), wanted.subarray(0, 4 * 1920))).toBeLessThan(1e-3);
    });
  },
);

test("without exported graphs the engine says how to make them", async () => {
  expect(existsSync(join(folder, "nowhere"))).toBe(false);
  await expect(openOnnx({ model: join(folder, "nowhere") })).rejects.toMatchObject({
    code: "tts/model-missing",
  });
});
