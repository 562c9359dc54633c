import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { decodeAudioBytes } from "@longwave/media";
import { parseModelConfig } from "../config/model-config.ts";
import { TtsError } from "../errors.ts";
import { cloneVoice, maxCloneSeconds } from "../model/clone-voice.ts";
import { PocketModel } from "../model/pocket-model.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { formatVoiceManifest, type ManifestVoice, parseVoiceManifest } from "../voice/voice-manifest.ts";
import { writeVoice } from "../voice/voice-state.ts";
import { FileByteSource } from "./file-byte-source.ts";
import { readVoiceFile } from "./pocket-engine.ts";

/**
 * Adds a voice file to the manifest of a model's folder; the file is checked against the model and copied beside the manifest.
 * @throws TtsError `tts/config-invalid` for an id that is taken or no id; `tts/voice-mismatch`, `tts/voice-malformed`
 */
export function addVoice(
  modelDirectory: string,
  voice: Omit<ManifestVoice, "path">,
  file: string,
): ManifestVoice {
  const config = parseModelConfig(readFileSync(join(modelDirectory, "config.yaml"), "utf8"), modelDirectory);
  const manifest = join(modelDirectory, "voices", "manifest.json");
  const known = existsSync(manifest) ? parseVoiceManifest(readFileSync(manifest, "utf8"), manifest) : [];
  const added = { ...voice, path: `${voice.id}.safetensors` };
  const text = formatVoiceManifest([...known, added]);
  // Parsing what will be written refuses bad ids and doubles before anything is touched.
  parseVoiceManifest(text, manifest);
  readVoiceFile(file, config);
  mkdirSync(dirname(manifest), { recursive: true });
  const target = join(dirname(manifest), added.path);
  if (target !== file) copyFileSync(file, target);
  writeFileSync(`${manifest}.new`, text);
  renameSync(`${manifest}.new`, manifest);
  return added;
}

/**
 * Makes a voice file from a recording (first 30 s; WAV, MP3, FLAC, Vorbis) with a model's encoder.
 * @returns its length in positions
 * @throws TtsError `tts/cloning-unavailable` where the weights have no encoder; what the decoder of the recording throws
 */
export async function exportVoice(modelDirectory: string, audio: Uint8Array, out: string): Promise<number> {
  const config = parseModelConfig(readFileSync(join(modelDirectory, "config.yaml"), "utf8"), modelDirectory);
  const path = join(modelDirectory, "model.safetensors");
  const decoded = await decodeAudioBytes(audio, { channels: 1, limits: { maxSeconds: maxClipSeconds } });
  const source = new FileByteSource(path);
  try {
    const file = SafetensorsFile.open(source, path);
    if (!file.has("mimi.encoder.model.0.conv.weight")) {
      throw new TtsError(
        "tts/cloning-unavailable",
        `${path} has no encoder: these are the weights without voice cloning.`,
      );
    }
    const model = new PocketModel(config, file, { encoder: true, decoder: false, capacity: 512 });
    const voice = cloneVoice(
      model,
      file,
      decoded.pcm.subarray(0, maxCloneSeconds * decoded.sampleRate),
      decoded.sampleRate,
    );
    writeFileSync(out, writeVoice(voice, config));
    return voice.rows;
  } finally {
    source.close();
  }
}

/** Longer recordings are refused rather than decoded for their first half minute. */
const maxClipSeconds = 1800;
