// One thread of the native engine. Frames go from the language model's thread straight to the decoder's, sound from there to the
// listener; both look at the shared words before every frame, so a cancelled utterance ends within one.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { isLongwaveError } from "@longwave/base";
import { frameSamples, parseModelConfig, stepsPerFrame } from "../config/model-config.ts";
import { cloneVoice } from "../model/clone-voice.ts";
import { PocketModel } from "../model/pocket-model.ts";
import { Utterance } from "../model/utterance.ts";
import { openWeights } from "./open-weights.ts";
import {
  type AudioMessage,
  type CloneMessage,
  cancelledWord,
  type EndMessage,
  maxFramesAhead,
  type PocketWorkerData,
  ringFrames,
  type SpeakMessage,
  type StepsMessage,
  takenWord,
} from "./pocket-protocol.ts";

const port = parentPort!;
const data = workerData as PocketWorkerData;
const { control } = data;

function open(): PocketModel {
  const config = parseModelConfig(data.configText, data.configLabel);
  const weights = openWeights(data.weights);
  try {
    return new PocketModel(config, weights.file, {
      flowLm: data.role !== "decoder",
      decoder: data.role === "both" ? true : data.role === "language" ? "front" : "back",
      frontLayers: data.frontLayers,
      encoder: data.cloning && data.role !== "decoder",
      format: data.format,
      capacity: data.capacity,
    });
  } finally {
    weights.close();
  }
}

const isCancelled = (id: number) => Atomics.load(control, cancelledWord) >= id;

/** Speaks one plan; `emit` is called while a frame's latent is valid, with the frame's number. */
function speak(
  model: PocketModel,
  message: SpeakMessage,
  emit: (isChunkStart: boolean, frame: number) => void,
): EndMessage {
  const { id } = message;
  let cappedChunks = 0;
  try {
    const utterance = new Utterance(model, message.plan, message.voice);
    for (let produced = 0; !isCancelled(id) && utterance.next(); produced++) {
      emit(utterance.isChunkStart, produced);
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

/** Hands the frame at `audio` to the listener. */
function send(model: PocketModel, id: number, audio: number): void {
  const pcm = model.core.floats(audio, frameSamples(model.config)).slice();
  post({ kind: "audio", id, pcm }, [pcm.buffer]);
}

/** Makes a voice in memory that threads share; runs between utterances, on the language model's thread. */
function clone(model: PocketModel, { pcm, sampleRate }: CloneMessage): void {
  const weights = openWeights(data.weights);
  try {
    const { rows, keys, values } = cloneVoice(model, weights.file, pcm, sampleRate);
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
    weights.close();
  }
}

function post(message: AudioMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function serveDecoder(model: PocketModel, frames: MessagePort): void {
  const { core, decoderBack, config } = model;
  const count = stepsPerFrame(config) * config.mimi.width;
  const target = core.floats(decoderBack.steps, count);
  frames.on("message", (message: StepsMessage) => {
    if (message.kind === "end") return post(message);
    if (isCancelled(message.id)) return;
    if (message.isChunkStart) decoderBack.reset(core);
    target.set(data.ring.subarray(message.place * count, (message.place + 1) * count));
    decoderBack.run(core);
    send(model, message.id, decoderBack.audio);
  });
}

function serveLanguage(model: PocketModel, frames: MessagePort): void {
  const { core, flowLm, decoderFront, config } = model;
  const count = stepsPerFrame(config) * config.mimi.width;
  const source = core.floats(decoderFront.steps, count);
  port.on("message", (message: SpeakMessage | CloneMessage) => {
    if (message.kind === "clone") return clone(model, message);
    const { id } = message;
    const end = speak(model, message, (isChunkStart, frame) => {
      if (isChunkStart) decoderFront.reset(core);
      core.copy(decoderFront.latent, flowLm.latent, config.mimi.latentDim * 4);
      decoderFront.run(core);
      const place = frame % ringFrames;
      data.ring.set(source, place * count);
      frames.postMessage({ kind: "steps", id, place, isChunkStart } satisfies StepsMessage);
    });
    frames.postMessage(end);
  });
}

function serveBoth(model: PocketModel): void {
  const { core, decoder, flowLm, config } = model;
  port.on("message", (message: SpeakMessage | CloneMessage) => {
    if (message.kind === "clone") return clone(model, message);
    const end = speak(model, message, (isChunkStart) => {
      if (isChunkStart) decoder.reset(core);
      core.copy(decoder.latent, flowLm.latent, config.mimi.latentDim * 4);
      decoder.decode(core);
      send(model, message.id, decoder.audio);
    });
    post(end);
  });
}

try {
  const model = open();
  if (data.role === "both") serveBoth(model);
  else {
    port.once("message", (frames: MessagePort) => {
      if (data.role === "decoder") serveDecoder(model, frames);
      else serveLanguage(model, frames);
    });
  }
  post({ kind: "ready", residentBytes: process.memoryUsage.rss() });
} catch (error) {
  const code = isLongwaveError(error) ? error.code : "tts/worker-failed";
  post({ kind: "failed", code, message: (error as Error).message });
}
