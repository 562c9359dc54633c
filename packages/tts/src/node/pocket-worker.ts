// One thread of the native engine. Latents go from the language model straight to the decoder, sound from the decoder to the
// listener; both look at the shared words before every frame, so a cancelled utterance ends within one.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { isLongwaveError } from "@longwave/base";
import { frameSamples, parseModelConfig } from "../config/model-config.ts";
import { cloneVoice } from "../model/clone-voice.ts";
import { PocketModel } from "../model/pocket-model.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { Utterance } from "../model/utterance.ts";
import { FileByteSource } from "./file-byte-source.ts";
import {
  type AudioMessage,
  type CloneMessage,
  cancelledWord,
  type EndMessage,
  type LatentMessage,
  maxFramesAhead,
  type PocketWorkerData,
  type SpeakMessage,
  takenWord,
} from "./pocket-protocol.ts";

const port = parentPort!;
const data = workerData as PocketWorkerData;
const { control } = data;

function open(): PocketModel {
  const config = parseModelConfig(data.configText, data.configLabel);
  const source = new FileByteSource(data.weightsPath);
  try {
    return new PocketModel(config, SafetensorsFile.open(source, data.weightsPath), {
      flowLm: data.role !== "decoder",
      decoder: data.role !== "language",
      encoder: data.cloning && data.role !== "decoder",
      format: data.format,
      capacity: data.capacity,
    });
  } finally {
    source.close();
  }
}

const isCancelled = (id: number) => Atomics.load(control, cancelledWord) >= id;

/** Speaks one plan; `emit` gets every latent's place while it is valid. */
function speak(model: PocketModel, message: SpeakMessage, emit: (isChunkStart: boolean) => void): EndMessage {
  const { id } = message;
  let cappedChunks = 0;
  try {
    const utterance = new Utterance(model, message.plan, message.voice);
    for (let produced = 0; !isCancelled(id) && utterance.next(); produced++) {
      emit(utterance.isChunkStart);
      for (;;) {
        const taken = Atomics.load(control, takenWord);
        if (isCancelled(id) || produced - taken < maxFramesAhead) break;
        Atomics.wait(control, takenWord, taken, 1000);
      }
    }
    cappedChunks = utterance.cappedChunks;
  } catch (error) {
    const code = isLongwaveError(error) ? error.code : "tts/worker-failed";
    return { kind: "end", id, cappedChunks, error: { code, message: (error as Error).message } };
  }
  return { kind: "end", id, cappedChunks };
}

function decode(model: PocketModel, id: number): void {
  const { core, decoder, config } = model;
  decoder.decode(core);
  const pcm = core.floats(decoder.audio, frameSamples(config)).slice();
  post({ kind: "audio", id, pcm }, [pcm.buffer]);
}

/** Makes a voice in memory that threads share; runs between utterances, on the language model's thread. */
function clone(model: PocketModel, { pcm, sampleRate }: CloneMessage): void {
  const source = new FileByteSource(data.weightsPath);
  try {
    const file = SafetensorsFile.open(source, data.weightsPath);
    const { rows, keys, values } = cloneVoice(model, file, pcm, sampleRate);
    const share = (array: Float32Array) => {
      const shared = new Float32Array(new SharedArrayBuffer(array.byteLength));
      shared.set(array);
      return shared;
    };
    post({ kind: "voice", voice: { kind: "cache", rows, keys: keys.map(share), values: values.map(share) } });
  } catch (error) {
    const code = isLongwaveError(error) ? error.code : "tts/worker-failed";
    post({ kind: "voice-failed", code, message: (error as Error).message });
  } finally {
    source.close();
  }
}

function post(message: AudioMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function serveDecoder(model: PocketModel, latents: MessagePort): void {
  const { core, decoder, config } = model;
  const target = core.floats(decoder.latent, config.mimi.latentDim);
  latents.on("message", (message: LatentMessage) => {
    if (message.kind === "end") return post(message);
    if (isCancelled(message.id)) return;
    if (message.isChunkStart) decoder.reset(core);
    target.set(message.latent);
    decode(model, message.id);
  });
}

function serveLanguage(model: PocketModel, latents: MessagePort): void {
  const { core, flowLm, config } = model;
  const source = core.floats(flowLm.latent, config.mimi.latentDim);
  port.on("message", (message: SpeakMessage | CloneMessage) => {
    if (message.kind === "clone") return clone(model, message);
    const end = speak(model, message, (isChunkStart) => {
      latents.postMessage({ kind: "latent", id: message.id, latent: source.slice(), isChunkStart });
    });
    latents.postMessage(end);
  });
}

function serveBoth(model: PocketModel): void {
  const { core, decoder, flowLm, config } = model;
  port.on("message", (message: SpeakMessage | CloneMessage) => {
    if (message.kind === "clone") return clone(model, message);
    const end = speak(model, message, (isChunkStart) => {
      if (isChunkStart) decoder.reset(core);
      core.copy(decoder.latent, flowLm.latent, config.mimi.latentDim * 4);
      decode(model, message.id);
    });
    post(end);
  });
}

try {
  const model = open();
  if (data.role === "both") serveBoth(model);
  else {
    port.once("message", (latents: MessagePort) => {
      if (data.role === "decoder") serveDecoder(model, latents);
      else serveLanguage(model, latents);
    });
  }
  post({ kind: "ready", residentBytes: process.memoryUsage.rss() });
} catch (error) {
  const code = isLongwaveError(error) ? error.code : "tts/worker-failed";
  post({ kind: "failed", code, message: (error as Error).message });
}
