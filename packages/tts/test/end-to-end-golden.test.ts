import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { streamingWavHeader, toReferenceInt16, trailingSilenceFrames } from "../src/audio/reference-wav.ts";
import { parseModelConfig } from "../src/config/model-config.ts";
import { MemoryByteSource } from "../src/model/byte-source.ts";
import { PocketModel } from "../src/model/pocket-model.ts";
import { SafetensorsFile } from "../src/model/safetensors.ts";
import { maxFramesFor, planUtterance, Utterance } from "../src/model/utterance.ts";
import { SentencePieceTokenizer } from "../src/text/sentencepiece-tokenizer.ts";
import { readVoice, writeVoice } from "../src/voice/voice-state.ts";
import { goldenFolder, goldenSets, maxDifference, openTensors } from "./goldens.ts";

interface Case {
  readonly text: string;
  readonly args: { readonly max_tokens?: number; readonly frames_after_eos?: number };
  readonly eos_threshold: number;
  readonly seed: number;
  readonly frames: number;
}

for (const set of goldenSets) {
  const folder = goldenFolder(set);
  describe.skipIf(folder === undefined)(`end-to-end goldens of data/tts/${set}`, () => {
    const golden =
      folder === undefined ? undefined! : JSON.parse(readFileSync(`${folder}/golden.json`, "utf8"));
    const tensors = folder === undefined ? undefined! : openTensors(`${folder}/golden.safetensors`);
    const config =
      folder === undefined ? undefined! : parseModelConfig(readFileSync(`${folder}/config.yaml`, "utf8"));
    const tokenizer =
      folder === undefined
        ? undefined!
        : new SentencePieceTokenizer(readFileSync(`${folder}/tokenizer.model`));
    const model =
      folder === undefined
        ? undefined!
        : new PocketModel(config, openTensors(`${folder}/model.safetensors`), { capacity: 512 });
    const voice = (name: string) => readVoice(openTensors(`${folder}/${name}`), config, name);

    function speak(
      index: number,
      voiceFile = "voice_state.safetensors",
    ): { frames: number; audio: Float32Array } {
      const each = golden.e2e[index] as Case;
      const plan = planUtterance(each.text, tokenizer, config, model.capacity, each.seed, {
        eosThreshold: each.eos_threshold,
        ...(each.args.max_tokens === undefined ? {} : { maxTokens: each.args.max_tokens }),
        ...(each.args.frames_after_eos === undefined ? {} : { framesAfterEos: each.args.frames_after_eos }),
      });
      const utterance = new Utterance(model, plan, voice(voiceFile));
      const { core, decoder, flowLm } = model;
      const blocks: Float32Array[] = [];
      while (utterance.next()) {
        if (utterance.isChunkStart) decoder.reset(core);
        core.copy(decoder.latent, flowLm.latent, 32 * 4);
        decoder.decode(core);
        blocks.push(core.floats(decoder.audio, 1920).slice());
      }
      const audio = new Float32Array(blocks.length * 1920);
      for (const [frame, block] of blocks.entries()) audio.set(block, frame * 1920);
      return { frames: blocks.length, audio };
    }

    test.each([0, 1, 2, 3])(
      "case %i has the reference's frames, and its audio within 1e-3 over the recorded ones",
      (index) => {
        const { frames, audio } = speak(index);
        const wanted = tensors.floats(`e2e${index}.audio`);
        // The reference's run of case 1 was cut off; its frame count is in the README of the data.
        if (!(set === "tiny" && index === 1)) expect(frames).toBe(golden.e2e[index].frames);
        else expect(frames).toBe(259);
        expect(maxDifference(audio.subarray(0, wanted.length), wanted)).toBeLessThan(1e-3);
      },
    );

    test("the WAV layout is the reference's", () => {
      for (let index = 0; index < 4; index++) {
        const bytes = readFileSync(`${folder}/e2e${index}.wav`);
        expect(bytes.subarray(0, 44)).toEqual(Buffer.from(streamingWavHeader()));
        const { audio } = speak(index);
        const frames = (bytes.length - 44 - trailingSilenceFrames * 2) / 2;
        const ours = new Int16Array(toReferenceInt16(audio.subarray(0, frames)).buffer);
        const theirs = new Int16Array(Uint8Array.from(bytes.subarray(44, 44 + frames * 2)).buffer);
        expect(maxDifference(ours, theirs)).toBeLessThanOrEqual(33);
        expect(bytes.subarray(44 + frames * 2).every((byte) => byte === 0)).toBe(true);
      }
    });

    test("frame limits are the reference's", () => {
      for (const each of golden.text) {
        expect(maxFramesFor(each.ids_prepared.length, 12.5)).toBe(each.max_gen_len);
      }
    });

    test("all three voice formats speak alike, and a written voice is read back", () => {
      const current = speak(2).audio;
      expect(speak(2, "voice_state_legacy_current_end.safetensors").audio).toEqual(current);
      const prompt = speak(2, "voice_legacy_audio_prompt.safetensors").audio;
      // The oldest format holds the conditioning without its begin-of-speech row.
      if (!config.flowLm.insertBosBeforeVoice) expect(maxDifference(prompt, current)).toBeLessThan(1e-3);
      const state = voice("voice_state.safetensors");
      if (state.kind !== "cache") throw new Error("expected a cache");
      const again = readVoice(
        SafetensorsFile.open(new MemoryByteSource(writeVoice(state, config))),
        config,
        "again",
      );
      expect(again).toEqual(state);
    });

    test("a voice of another size is refused", () => {
      const other = { ...config, flowLm: { ...config.flowLm, layers: 3 } };
      const file = openTensors(`${folder}/voice_state.safetensors`);
      expect(() => readVoice(file, other, "v")).toThrow(
        expect.objectContaining({ code: "tts/voice-mismatch" }),
      );
      expect(() => readVoice(openTensors(`${folder}/model.safetensors`), config, "v")).toThrow(
        expect.objectContaining({ code: "tts/voice-malformed" }),
      );
    });
  });
}
