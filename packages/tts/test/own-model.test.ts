import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allocatedBytesPerCall, sharedPath, writeRandomSpeechModel } from "../../../testkit/src/index.ts";
import { concatenate } from "../src/audio/concatenate.ts";
import { parseModelConfig } from "../src/config/model-config.ts";
import { publishedConfigText, publishedModels } from "../src/config/published-models.ts";
import { PocketModel } from "../src/model/pocket-model.ts";
import { tensorList } from "../src/model/tensor-list.ts";
import { planUtterance, Utterance } from "../src/model/utterance.ts";
import { openTts } from "../src/node/open-tts.ts";
import { readVoiceFile } from "../src/node/pocket-engine.ts";
import { SentencePieceTokenizer } from "../src/text/sentencepiece-tokenizer.ts";
import { openTensors } from "./goldens.ts";

describe("a model of our own making", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-tts-"));
    writeRandomSpeechModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("speaks finite, audible sound through openTts, the same for the same seed", async () => {
    const tts = await openTts({ model: folder });
    const speech = tts.speak("Hello there.", { seed: 3, sampling: { eosThreshold: -5.5 } });
    expect([speech.engine, speech.voice, speech.sampleRate]).toEqual(["native", "random", 24_000]);
    const pcm = await concatenate(speech);
    expect(pcm.length).toBeGreaterThan(0);
    expect(pcm.every(Number.isFinite)).toBe(true);
    expect(Math.max(...pcm.subarray(0, 48_000))).toBeGreaterThan(1e-3);
    const again = await concatenate(tts.speak("Hello there.", { seed: 3, sampling: { eosThreshold: -5.5 } }));
    expect(again).toEqual(pcm);
    const other = await concatenate(tts.speak("Hello there.", { seed: 4, sampling: { eosThreshold: -5.5 } }));
    expect(other.subarray(0, 1920)).not.toEqual(pcm.subarray(0, 1920));
    await tts.close();
  });

  test.each(["?!", "🙂", "a", "...", "日本語"])("text such as %s is spoken without a crash", async (text) => {
    const tts = await openTts({ model: folder, threads: 1 });
    const speech = await concatenate(
      tts.speak(text, { sampling: { framesAfterEos: 1, eosThreshold: -1e9 } }),
    );
    expect(speech.length).toBe(1920);
    await tts.close();
  });

  test("a frame allocates nothing", () => {
    const config = parseModelConfig(readFileSync(join(folder, "config.yaml"), "utf8"));
    const model = new PocketModel(config, openTensors(join(folder, "model.safetensors")), { capacity: 64 });
    const { core, decoder, flowLm } = model;
    flowLm.flowNet.setSteps(core, 1);
    flowLm.startSpeech(core);
    const frame = () => {
      if (flowLm.transformer.position === 60) flowLm.transformer.reset();
      flowLm.advance(core);
      flowLm.hasEnded(core, 0);
      flowLm.sample(core);
      core.copy(decoder.latent, flowLm.latent, 128);
      decoder.decode(core);
    };
    const { heap } = allocatedBytesPerCall(frame, { warmupCalls: 2000, calls: 1200 });
    expect(heap).toBeLessThan(1);
  });

  test("the old pad goes before short chunks only, where the tokenizer keeps spaces", () => {
    const config = parseModelConfig(readFileSync(join(folder, "config.yaml"), "utf8"));
    // A second normalizer_spec (field 3) with remove_extra_whitespaces (field 4) off; the last one counts.
    const bytes = Buffer.concat([readFileSync(join(folder, "tokenizer.model")), Buffer.of(0x1a, 2, 0x20, 0)]);
    const tokenizer = new SentencePieceTokenizer(bytes);
    const ids = (text: string, legacyPad: boolean) =>
      planUtterance(text, tokenizer, config, 600, 0, { legacyPad }).chunks[0]!.ids;
    expect(ids("Hi there.", true).length).toBeGreaterThan(ids("Hi there.", false).length);
    expect(ids("One two three four five.", true)).toEqual(ids("One two three four five.", false));
  });

  test("text that is too long for the model's cache is refused, not cut", () => {
    const config = parseModelConfig(readFileSync(join(folder, "config.yaml"), "utf8"));
    const tokenizer = new SentencePieceTokenizer(readFileSync(join(folder, "tokenizer.model")));
    expect(() => planUtterance("x".repeat(500), tokenizer, config, 600, 0)).toThrow(
      expect.objectContaining({ code: "tts/text-too-long" }),
    );
    const plan = planUtterance("x", tokenizer, config, 600, 0);
    const model = new PocketModel(config, openTensors(join(folder, "model.safetensors")), { capacity: 30 });
    const voice = readVoiceFile(join(folder, "voices/random.safetensors"), config);
    expect(() => new Utterance(model, plan, voice).next()).toThrow(
      expect.objectContaining({ code: "tts/text-too-long" }),
    );
  });
});

describe("configurations", () => {
  test("all twelve published ones are read, with the sizes of their parameters", () => {
    expect(publishedModels.length).toBe(12);
    for (const published of publishedModels) {
      const config = parseModelConfig(publishedConfigText(published), published.name);
      const parameters = tensorList(config).reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
        0,
      );
      const millions =
        published.layers === 24 ? 336_068_290 : published.innerDim === 512 ? 117_856_962 : 109_502_146;
      // The reference counts parameters without its buffers (embedding statistics and frequencies).
      expect(Math.abs(parameters - millions)).toBeLessThan(400);
    }
  });

  test("the list of tensors is the real model's", () => {
    const path = sharedPath("data/tts/tensors_english.tsv");
    if (path === undefined) return;
    const wanted = readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split("\t").slice(0, 2).join(" "));
    const ours = tensorList(parseModelConfig(publishedConfigText(publishedModels[0]!))).map(
      ({ name, shape }) => `${name} [${shape.join(", ")}]`,
    );
    expect(ours.sort()).toEqual(wanted.sort());
  });

  const base = publishedConfigText(publishedModels[0]!);
  test.each([
    [
      "an unknown key",
      base.replace("dilation_base", "dilatation_base"),
      /unknown key "mimi.seanet.dilatation_base"/,
    ],
    ["a missing map", base.replace(/ {2}quantizer:\n.*\n.*\n/, ""), /"mimi.quantizer" must be a map/],
    ["a duplicate key", `remove_semicolons: true\n${base}`, /appears twice/],
    ["a wrong type", base.replace("sample_rate: 24000", "sample_rate: fast"), /whole number/],
    ["widths that disagree", base.replace("outer_dim: 512", "outer_dim: 256"), /expected 512/],
    [
      "more than the code does",
      base.replace("n_residual_layers: 1", "n_residual_layers: 3"),
      /only 1 is supported/,
    ],
    ["an anchor", base.replace("dtype: float32", "dtype: &a float32"), /beyond the YAML/],
    ["a tab", base.replace("  dtype", "\tdtype"), /tabs/],
    ["nothing", "", /nothing in it/],
    ["bad indentation", base.replace("  flow:", "   flow:"), /indentation/],
  ])("%s is refused with the place", (_, text, reason) => {
    expect(text).not.toBe(base);
    expect(() => parseModelConfig(text)).toThrow(
      expect.objectContaining({ code: "tts/config-invalid", message: expect.stringMatching(reason) }),
    );
  });
});
