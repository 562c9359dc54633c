import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import { parseModelConfig } from "../src/config/model-config.ts";
import { InlineEngine } from "../src/engine/inline-engine.ts";
import { MemoryByteSource } from "../src/model/byte-source.ts";
import { PocketEngine } from "../src/node/pocket-engine.ts";
import { ringFrames } from "../src/node/pocket-protocol.ts";
import { formatVoiceManifest } from "../src/voice/voice-manifest.ts";
import { readVoice } from "../src/voice/voice-state.ts";
import { goldenFolder, maxDifference, openTensors } from "./goldens.ts";

const shared = goldenFolder("tiny");

describe.skipIf(shared === undefined)("the native engine on threads (data/tts/tiny)", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-tts-"));
    copyFileSync(`${shared}/voice_state.safetensors`, join(folder, "v.safetensors"));
    const license = "CC0-1.0";
    writeFileSync(
      join(folder, "manifest.json"),
      formatVoiceManifest([
        { id: "tiny", path: "v.safetensors", license },
        { id: "gone", path: "gone.safetensors", license },
      ]),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const open = (options: { threads?: 1 | 2; precision?: "f32" | "bf16" | "int8" } = {}) =>
    PocketEngine.open({
      configPath: `${shared}/config.yaml`,
      voicesPath: join(folder, "manifest.json"),
      capacity: 600,
      ...options,
    });

  test.each([1, 2] as const)("on %i threads speaks the reference's samples", async (threads) => {
    const engine = await open({ threads });
    const pcm = await concatenate(
      engine.speak({
        text: "The quick brown fox jumps.",
        seed: 79,
        sampling: { framesAfterEos: 2, eosThreshold: -6 },
      }),
    );
    const wanted = openTensors(`${shared}/golden.safetensors`).floats("e2e2.audio");
    expect(maxDifference(pcm, wanted)).toBeLessThan(1e-3);
    await engine.close();
  });

  test.each([1, 2] as const)(
    "on %i threads speaks like a recording, and refuses one without cloning",
    async (threads) => {
      const recording = {
        pcm: openTensors(`${shared}/golden.safetensors`).floats("voice.audio"),
        sampleRate: 24_000,
      };
      const request = { text: "One two three.", seed: 5, sampling: { framesAfterEos: 1, eosThreshold: -6 } };
      const engine = await PocketEngine.open({
        configPath: `${shared}/config.yaml`,
        voicesPath: join(folder, "manifest.json"),
        capacity: 600,
        cloning: true,
        threads,
      });
      const cloned = await concatenate(engine.speak({ ...request, recording }));
      // The recorded voice state was made of this very sound.
      expect(maxDifference(cloned, await concatenate(engine.speak(request)))).toBeLessThan(1e-3);
      expect(await concatenate(engine.speak({ ...request, recording }))).toEqual(cloned);
      const empty = { pcm: new Float32Array(0), sampleRate: 24_000 };
      await expect(concatenate(engine.speak({ ...request, recording: empty }))).rejects.toMatchObject({
        code: "tts/option-invalid",
      });
      await engine.close();
      const plain = await open({ threads });
      await expect(concatenate(plain.speak({ ...request, recording }))).rejects.toMatchObject({
        code: "tts/cloning-unavailable",
      });
      await plain.close();
    },
  );

  test("8-bit and bfloat16 weights speak nearly the same", async () => {
    const speak = async (precision: "f32" | "bf16" | "int8") => {
      const engine = await open({ threads: 1, precision });
      const sampling = { eosThreshold: 1e9 };
      const pcm: number[] = [];
      for await (const block of engine.speak({ text: "no eos at all", seed: 80, sampling })) {
        pcm.push(...block);
        if (pcm.length >= 2 * 1920) break;
      }
      await engine.close();
      return pcm;
    };
    const exact = await speak("f32");
    const level = Math.max(...exact.map(Math.abs));
    expect(maxDifference(await speak("bf16"), exact)).toBeLessThan(0.2 * level);
    expect(maxDifference(await speak("int8"), exact)).toBeLessThan(0.2 * level);
    expect(await speak("int8")).not.toEqual(exact);
  });

  test("one thread and two speak the same samples, also beyond the ring between the two", async () => {
    const speak = async (threads: 1 | 2) => {
      const engine = await open({ threads, precision: "int8" });
      // Two chunks that end at once, and the 18 frames after each end.
      const sampling = { eosThreshold: -1e9, framesAfterEos: 18, maxTokens: 12 };
      const pcm = await concatenate(engine.speak({ text: "One. Two two two two two.", seed: 4, sampling }));
      await engine.close();
      return pcm;
    };
    const one = await speak(1);
    expect(one.length).toBe(36 * 1920);
    expect(ringFrames).toBeLessThan(36);
    expect(await speak(2)).toEqual(one);
  });

  test("leaving early or aborting frees the threads for the next utterance", async () => {
    const engine = await open();
    const request = { text: "no eos at all", seed: 80, sampling: { eosThreshold: 1e9 } };
    let first: Float32Array | undefined;
    for await (const block of engine.speak(request)) {
      first = block;
      break;
    }
    const abort = new AbortController();
    let blocks = 0;
    await expect(async () => {
      for await (const _ of engine.speak({ ...request, signal: abort.signal })) {
        if (++blocks === 2) abort.abort(new Error("gone"));
      }
    }).rejects.toThrow("gone");
    expect(blocks).toBe(2);
    const whole = await concatenate(engine.speak(request));
    expect(whole.length).toBe(80 * 1920);
    expect(whole.subarray(0, 1920)).toEqual(first);
    await engine.close();
  });

  test("requests at the same time are spoken one after the other, each as if alone", async () => {
    const engine = await open();
    const texts = ["one", "two two", "three"];
    const request = (text: string) => ({ text, seed: 5, sampling: { eosThreshold: -6 } });
    const together = await Promise.all(texts.map((text) => concatenate(engine.speak(request(text)))));
    for (const [index, text] of texts.entries()) {
      expect(await concatenate(engine.speak(request(text)))).toEqual(together[index]);
    }
    await engine.close();
  });

  test("unknown and missing voices, and a closed engine, are refused with their names", async () => {
    const engine = await open({ threads: 1 });
    expect(() => engine.speak({ text: "x", voice: "tinny" })).toThrow(/Did you mean tiny/);
    expect(() => engine.speak({ text: "x", voice: "gone" })).toThrow(
      expect.objectContaining({ code: "tts/voice-missing" }),
    );
    await engine.close();
    await expect(concatenate(engine.speak({ text: "x" }))).rejects.toMatchObject({ code: "tts/closed" });
  });

  test("a model that is not there or damaged is refused when it is opened", async () => {
    await expect(PocketEngine.open({ configPath: join(folder, "none.yaml") })).rejects.toMatchObject({
      code: "tts/model-missing",
    });
    const weightsPath = join(folder, "broken.safetensors");
    writeFileSync(weightsPath, "garbage garbage garbage");
    await expect(
      PocketEngine.open({ configPath: `${shared}/config.yaml`, weightsPath, precision: "f32" }),
    ).rejects.toMatchObject({ code: "tts/model-malformed" });
  });

  test("without threads speaks the same samples, one utterance after the other, and leaves in the middle", async () => {
    const config = parseModelConfig(readFileSync(`${shared}/config.yaml`, "utf8"));
    const state = readVoice(openTensors(`${shared}/voice_state.safetensors`), config, "voice");
    const options = {
      config,
      weights: new MemoryByteSource(readFileSync(`${shared}/model.safetensors`)),
      tokenizer: readFileSync(`${shared}/tokenizer.model`),
      voices: [{ id: "tiny", license: "CC0-1.0", state }],
      capacity: 600,
      cloning: true,
    };
    const engine = new InlineEngine(options);
    const request = { text: "One two three.", seed: 5, sampling: { framesAfterEos: 1, eosThreshold: -6 } };
    const threaded = await open({ threads: 1 });
    const wanted = await concatenate(threaded.speak(request));
    await threaded.close();
    const [first, second] = await Promise.all([
      concatenate(engine.speak(request)),
      concatenate(engine.speak(request)),
    ]);
    expect(first).toEqual(wanted);
    expect(second).toEqual(wanted);
    for await (const block of engine.speak(request)) {
      expect(block.length).toBe(1920);
      break;
    }
    const recording = {
      pcm: openTensors(`${shared}/golden.safetensors`).floats("voice.audio"),
      sampleRate: 24_000,
    };
    expect(maxDifference(await concatenate(engine.speak({ ...request, recording })), wanted)).toBeLessThan(
      1e-3,
    );
    await expect(concatenate(engine.speak({ ...request, voice: "nobody" }))).rejects.toMatchObject({
      code: "tts/voice-unknown",
    });
    expect(() => new InlineEngine({ ...options, voices: [] })).toThrow(
      expect.objectContaining({ code: "tts/voice-missing" }),
    );
    await engine.close();
    await expect(concatenate(engine.speak(request))).rejects.toMatchObject({ code: "tts/closed" });
  });
});
