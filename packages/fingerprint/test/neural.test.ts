import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import {
  type Embeddings,
  embedderDefaults,
  LogMelWindow,
  matchEmbeddings,
  NeuralEmbedder,
  NeuralWatermarkDetector,
  NeuralWatermarkEmbedder,
  OnnxModel,
  type OnnxRuntime,
  type OnnxSession,
} from "../src/neural/index.ts";
import { readModelFile } from "../src/node/read-model-file.ts";
import { constantMarker, levelDetector, meanEmbedder, onnxBytes } from "./onnx-fixture.ts";
import { interpreter } from "./onnx-interpreter.ts";

const rate = 16_000;

function noise(seconds: number, seed: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: seconds * rate }, () => 0.5 * (random.next() - 0.5));
}

/** ONNX Runtime, where the folder of an installed onnxruntime-web or -node is named. */
async function installedRuntime(): Promise<OnnxRuntime | undefined> {
  const folder = process.env["ORT_LIBRARY_PATH"];
  if (folder === undefined) return undefined;
  const loaded = createRequire(join(folder, "package.json"))(folder) as OnnxRuntime & {
    env: { wasm?: { numThreads: number } };
  };
  if (loaded.env.wasm !== undefined) loaded.env.wasm.numThreads = 1;
  return loaded;
}
const installed = await installedRuntime();
const runtimes: [string, OnnxRuntime][] = [["the interpreter of the tests", interpreter]];
if (installed !== undefined) runtimes.push(["ONNX Runtime", installed]);

test.skipIf(installed !== undefined)(
  "ONNX Runtime runs the same tests where ORT_LIBRARY_PATH names it",
  (context) => {
    context.skip("ORT_LIBRARY_PATH is not set");
  },
);

/** Slaney log-mel of the contract by its formulas, with the discrete Fourier transform by its definition. */
function logMelByDefinition(window: Float32Array, frame: number, band: number): number {
  const mel = (hz: number) => (hz < 1000 ? (hz * 3) / 200 : 15 + Math.log(hz / 1000) / (Math.log(6.4) / 27));
  const hz = (m: number) => (m < 15 ? (m * 200) / 3 : 1000 * Math.exp((m - 15) * (Math.log(6.4) / 27)));
  const [left, centre, right] = [0, 1, 2].map((i) => hz(((band + i) * mel(8000)) / 129)) as [
    number,
    number,
    number,
  ];
  let energy = 0;
  for (let bin = 0; bin <= 512; bin++) {
    const f = (bin * rate) / 1024;
    if (f <= left || f >= right) continue;
    let [re, im] = [0, 0];
    for (let i = 0; i < 1024; i++) {
      const x = window[frame * 320 + i]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 1024));
      re += x * Math.cos((2 * Math.PI * bin * i) / 1024);
      im -= x * Math.sin((2 * Math.PI * bin * i) / 1024);
    }
    const weight = f < centre ? (f - left) / (centre - left) : (right - f) / (right - centre);
    energy += ((weight * 2) / (right - left)) * (re * re + im * im);
  }
  return Math.log10(energy + 1e-10);
}

describe("the log-mel window", () => {
  test("is the contract's: 128 bands of 47 frames, band by band", () => {
    const window = new LogMelWindow(embedderDefaults);
    expect(window.size).toBe(128 * 47);
    const samples = noise(1, 1);
    const found = new Float32Array(window.size + 3);
    window.compute(samples, found, 3);
    for (const [band, frame] of [
      [0, 0],
      [1, 46],
      [17, 20],
      [64, 5],
      [127, 46],
    ] as const) {
      expect(Math.abs(found[3 + band * 47 + frame]! - logMelByDefinition(samples, frame, band))).toBeLessThan(
        1e-4,
      );
    }
    window.compute(new Float32Array(rate), found, 0);
    expect(found.subarray(0, window.size).every((value) => Math.abs(value + 10) < 1e-5)).toBe(true);
    window.close();
  });

  test.each([
    { fftSize: 1000 },
    { fftSize: 131_072 },
    { mels: 8193 },
    { mels: 0 },
    { windowSeconds: 3601 },
    { windowSeconds: 0.05 },
    { stepSeconds: 1.5 },
    { stepSeconds: 0 },
    { maxHz: 8001 },
    { minHz: 9000 },
    { hopSize: 2048 },
    { batchSize: 0 },
    { windowSeconds: 3600, mels: 8192 },
    { sampleRate: Number.NaN },
  ])("refuses %o", (settings) => {
    expect(() => new LogMelWindow({ ...embedderDefaults, ...settings })).toThrow(
      expect.objectContaining({ code: "neural/settings" }),
    );
  });
});

describe.each(runtimes)("on %s", (_, runtime) => {
  const load = (...args: Parameters<typeof onnxBytes>) => OnnxModel.load(runtime, onnxBytes(...args));

  test("embeds windows of length 1, in batches and one by one the same", async () => {
    const model = await load(meanEmbedder);
    const samples = noise(5.6, 2);
    const single = await NeuralEmbedder.create(model, { stepSeconds: 0.5 });
    const batched = await NeuralEmbedder.create(model, { stepSeconds: 0.5, batchSize: 4 });
    expect(single.dimension).toBe(128);
    const one = await single.embed(samples, { sampleRate: rate });
    const four = await batched.embed(samples, { sampleRate: rate });
    expect(one.vectors.length).toBe(10 * 128);
    expect([...one.timesMs]).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500]);
    expect(one.perSecond).toBe(2);
    expect(four).toEqual(one);
    const mels = new Float32Array(128 * 47);
    new LogMelWindow(embedderDefaults).compute(samples.subarray(rate, 2 * rate), mels, 0);
    const means = Array.from(
      { length: 128 },
      (_, m) => mels.subarray(47 * m, 47 * m + 47).reduce((sum, x) => sum + x, 0) / 47,
    );
    const norm = Math.hypot(...means);
    for (let m = 0; m < 128; m++)
      expect(Math.abs(one.vectors[2 * 128 + m]! - means[m]! / norm)).toBeLessThan(1e-5);
  });

  test.each([1, 333, 16_000, 100_000])(
    "a stream in chunks of %i gives what the whole gives",
    async (size) => {
      const embedder = await NeuralEmbedder.create(await load(meanEmbedder), { stepSeconds: 0.25 });
      const samples = noise(size === 1 ? 1.3 : 2.6, 3).map((x, i) => x * (1 + i / 40_000));
      const whole = await embedder.embed(samples, { sampleRate: rate });
      const stream = embedder.createStream();
      const found: number[] = [];
      const times: number[] = [];
      const sink = (vector: Float32Array, timeMs: number) => {
        found.push(...vector);
        times.push(timeMs);
      };
      for (let at = 0; at < samples.length; at += size)
        await stream.push(samples.subarray(at, at + size), sink);
      await stream.flush(sink);
      expect(times).toEqual([...whole.timesMs]);
      expect(Float32Array.from(found)).toEqual(whole.vectors);
      // After a flush a new run begins.
      times.length = 0;
      await stream.push(samples.subarray(0, rate), sink);
      expect(times).toEqual([0]);
    },
  );

  test("other rates and channels are brought to the model's; what is no number counts as 0 in a stream", async () => {
    const embedder = await NeuralEmbedder.create(await load(meanEmbedder));
    const tone = (hz: number) =>
      Float32Array.from({ length: 2 * hz }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / hz));
    const [low, high] = [
      await embedder.embed(tone(rate), { sampleRate: rate }),
      await embedder.embed(tone(48_000), { sampleRate: 48_000 }),
    ];
    expect(matchEmbeddings(low, high).similarity).toBeGreaterThan(0.98);
    const mono = tone(rate);
    const stereo = new Float32Array(4 * rate).map((_, i) => mono[i >> 1]!);
    expect(await embedder.embed(stereo, { sampleRate: rate, channels: 2 })).toEqual(low);
    await expect(embedder.embed(new Float32Array(100), { sampleRate: rate })).rejects.toMatchObject({
      code: "neural/input",
    });
    await expect(embedder.embed(Float32Array.of(Number.NaN), { sampleRate: rate })).rejects.toMatchObject({
      code: "fp/non-finite",
    });
    const stream = embedder.createStream();
    const vectors: Float32Array[] = [];
    await stream.push(new Float32Array(rate).fill(Number.NaN), (vector) => vectors.push(vector.slice()));
    expect(stream.replacedSamples).toBe(rate);
    expect(vectors[0]!.every((value) => Math.abs(value + 1 / Math.sqrt(128)) < 1e-4)).toBe(true);
  });

  test("puts a message in and reads it: plain scores and logits, and scores and message as AudioSeal gives them", async () => {
    const signs = [1, 1, -1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, 1, -1, 1];
    const word = signs.reduce((sum, sign, i) => sum + (sign > 0 ? 2 ** i : 0), 0);
    const embedder = new NeuralWatermarkEmbedder(await load(constantMarker));
    const sound = noise(0.2, 4);
    const marked = await embedder.embed(sound, rate, 0b1000_0000_0000_0001);
    expect(marked).toEqual(sound.map((x) => x + (2 ** -2 + 2 ** -17)));
    const half = await new NeuralWatermarkEmbedder(await load(constantMarker), { strength: 0.5 }).embed(
      sound,
      rate,
      1,
    );
    expect(half).toEqual(sound.map((x) => x + 0.125));
    const flat = new NeuralWatermarkDetector(await load(levelDetector(signs, false)));
    const found = await flat.detect(marked, rate);
    expect(found).toMatchObject({ detected: true, message: word });
    expect(found.scores.length).toBe(sound.length);
    expect(found.confidence).toBeCloseTo(found.scores.reduce((sum, x) => sum + x, 0) / sound.length, 5);
    // Unmarked sound has the opposite of every bit here, and about half of its samples above zero.
    const unmarked = await flat.detect(
      sound.map((x) => x - 0.01),
      rate,
    );
    expect(unmarked).toMatchObject({ detected: false, message: 0xffff - word });
    const seal = { scores: "class1of2", message: "probabilities" } as const;
    const classes = new NeuralWatermarkDetector(await load(levelDetector(signs, true)), seal);
    const share = marked.filter((x) => x > 0).length / marked.length;
    const read = await classes.detect(marked, rate);
    expect(read).toMatchObject({ detected: true, message: word });
    expect(read.confidence).toBeCloseTo(share, 10);
    expect(read.scores[7]).toBeCloseTo(1 / (1 + Math.exp(-8 * marked[7]!)), 5);
    // A raw export read by the wrong rule would always say one half; its shape gives it away.
    const mistaken = new NeuralWatermarkDetector(await load(levelDetector(signs, false)), seal);
    await expect(mistaken.detect(marked, rate)).rejects.toMatchObject({ code: "neural/inference" });
    const few = new NeuralWatermarkDetector(await load(levelDetector([1, 1], false)));
    expect((await few.detect(marked, rate)).message).toBe(0);
    for (const [samples, hz] of [
      [sound, 8000],
      [new Float32Array(0), rate],
    ] as const) {
      await expect(flat.detect(samples, hz)).rejects.toMatchObject({ code: "neural/input" });
    }
    await expect(flat.detect(Float32Array.of(0, Number.POSITIVE_INFINITY), rate)).rejects.toMatchObject({
      code: "fp/non-finite",
    });
    await expect(embedder.embed(sound, rate, 65_536)).rejects.toMatchObject({ code: "neural/input" });
  });

  test("a missing, a pinned, a damaged and a wrong model are told apart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "longwave-neural-"));
    try {
      const bytes = onnxBytes(meanEmbedder);
      writeFileSync(join(folder, "model.onnx"), bytes);
      const read = await readModelFile(join(folder, "model.onnx"));
      expect(read).toEqual(bytes);
      await expect(readModelFile(join(folder, "none.onnx"))).rejects.toMatchObject({
        code: "neural/model-missing",
      });
      await expect(readModelFile(folder)).rejects.toMatchObject({ code: "neural/model-missing" });
      const pin = "0".repeat(64);
      await expect(OnnxModel.load(runtime, read, { sha256: pin })).rejects.toMatchObject({
        code: "neural/model-untrusted",
        message: expect.stringMatching(/[0-9a-f]{64}, not 0{64}/),
      });
      await expect(OnnxModel.load(runtime, read.subarray(0, 40))).rejects.toMatchObject({
        code: "neural/model-load",
      });
      await expect(OnnxModel.load(runtime, new Uint8Array(0))).rejects.toMatchObject({
        code: "neural/model-load",
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    const twoInputs = await load(constantMarker);
    await expect(NeuralEmbedder.create(twoInputs)).rejects.toMatchObject({ code: "neural/inference" });
  });
});

describe("a model that misbehaves", () => {
  const giving = (outputs: readonly { data: unknown; dims: readonly number[] }[]): Promise<OnnxModel> => {
    let runs = 0;
    const session: OnnxSession = {
      inputNames: ["x"],
      outputNames: ["y"],
      run: async () => ({ y: { type: "float32", ...outputs[Math.min(runs++, outputs.length - 1)]! } }),
    };
    return OnnxModel.load(
      { ...interpreter, InferenceSession: { create: async () => session } },
      Uint8Array.of(1),
    );
  };
  const floats = (count: number, dims = [1, count]) => ({ data: new Float32Array(count), dims });

  test.each([
    ["an empty embedding", [floats(0)]],
    ["a shape that does not hold its values", [floats(4, [1, 5])]],
    ["integers", [{ data: new Int32Array(4), dims: [1, 4] }]],
    ["nothing", [{ data: undefined, dims: [] }]],
  ])("%s", async (_, outputs) => {
    await expect(NeuralEmbedder.create(await giving(outputs))).rejects.toMatchObject({
      code: "neural/inference",
    });
  });

  test("embeddings that change their length, scores that are no numbers, a residual of another length", async () => {
    const embedder = await NeuralEmbedder.create(await giving([floats(4), floats(5)]));
    await expect(embedder.embed(noise(1, 1), { sampleRate: rate })).rejects.toMatchObject({
      code: "neural/inference",
    });
    const zero = await NeuralEmbedder.create(await giving([floats(4)]));
    expect((await zero.embed(noise(1, 1), { sampleRate: rate })).vectors).toEqual(new Float32Array(4));
    const detector = new NeuralWatermarkDetector(
      await giving([{ data: Float32Array.of(Number.NaN), dims: [1] }]),
    );
    await expect(detector.detect(noise(0.1, 1), rate)).rejects.toMatchObject({ code: "neural/inference" });
    expect(() => new NeuralWatermarkDetector(zeroModel, { bits: 33 })).toThrow("bits must be 0 to 32");
  });
  const zeroModel = undefined as unknown as OnnxModel;
});

describe("comparing embeddings", () => {
  /** Embeddings that point along one axis a second. */
  const along = (...axes: number[]): Embeddings => ({
    dimension: 8,
    perSecond: 1,
    vectors: Float32Array.from(
      axes.flatMap((axis) => Array.from({ length: 8 }, (_, i) => Number(i === axis))),
    ),
    timesMs: Float64Array.from(axes, (_, i) => 1000 * i),
  });

  test("slides the query over the reference, beyond its ends too", () => {
    const song = along(0, 1, 2, 3, 4, 5);
    expect(matchEmbeddings(along(3, 4), song)).toEqual({
      matches: true,
      similarity: 1,
      offsetMs: 3000,
      timeScale: 1,
    });
    expect(matchEmbeddings(along(7, 7, 0, 1), song)).toMatchObject({ similarity: 1, offsetMs: -2000 });
    expect(matchEmbeddings(along(6, 7), song)).toMatchObject({ matches: false, similarity: 0 });
    expect(matchEmbeddings(along(3, 7), song, { threshold: 0.5 })).toMatchObject({
      matches: true,
      similarity: 0.5,
    });
  });

  test("warps time, and compares wholes", () => {
    const warped = matchEmbeddings(along(0, 0, 1, 1, 2, 2), along(0, 1, 2), { comparison: "dtw" });
    expect(warped).toMatchObject({ matches: true, similarity: 1, timeScale: 2 });
    expect(matchEmbeddings(along(0, 1), along(2, 3), { comparison: "dtw" }).similarity).toBe(0);
    expect(matchEmbeddings(along(0, 1), along(1, 0), { comparison: "mean" }).similarity).toBeCloseTo(1, 12);
  });

  test("refuses what cannot be compared", () => {
    const other = { ...along(0), dimension: 4 };
    expect(() => matchEmbeddings(along(0), other)).toThrow(expect.objectContaining({ code: "neural/input" }));
    expect(() => matchEmbeddings(along(0), along(0), { threshold: 2 })).toThrow("threshold");
  });
});
