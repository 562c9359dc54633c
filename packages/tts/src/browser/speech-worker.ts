// The worker behind BrowserEngine: opens a model from the store and speaks one frame after the other, never more than 2 s ahead of the
// listener. Between two frames it looks at its messages, so that a cancelled speech ends within one.
import { isLongwaveError } from "@longwave/base";
import { parseModelConfig } from "../config/model-config.ts";
import { InlineEngine, type InlineVoice } from "../engine/inline-engine.ts";
import { TtsError } from "../errors.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { parseVoiceManifest } from "../voice/voice-manifest.ts";
import { readVoice } from "../voice/voice-state.ts";
import {
  type EngineMessage,
  maxFramesAhead,
  type OpenMessage,
  type PlainError,
  type PlainRequest,
  type WorkerMessage,
} from "./browser-protocol.ts";
import { ModelStore } from "./model-store.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  postMessage(message: WorkerMessage, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<EngineMessage>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope;

/** A speech under way. */
interface Turn {
  isCancelled: boolean;
  taken: number;
  wake: () => void;
}

let engine: InlineEngine | undefined;
const turns = new Map<number, Turn>();

async function open(message: OpenMessage): Promise<void> {
  const store = await ModelStore.open(message.store);
  const at = (path: string) => new URL(path, message.modelUrl).href;
  const progress = (file: string) => ({
    onProgress: (done: number, total: number | undefined) =>
      scope.postMessage({ kind: "progress", file, done, total }),
  });
  const text = async (path: string) => new TextDecoder().decode(await store.bytes(at(path)));
  const config = parseModelConfig(await text("config.yaml"), "config.yaml");
  const listed = parseVoiceManifest(await text("voices/manifest.json"), "voices/manifest.json");
  const wanted = message.voices ?? listed.slice(0, 1).map(({ id }) => id);
  const voices: InlineVoice[] = [];
  for (const id of wanted) {
    const voice = listed.find((each) => each.id === id);
    if (voice === undefined) throw new TtsError("tts/voice-unknown", `The model has no voice "${id}".`);
    const { path, ...info } = voice;
    const file = await store.get(at(`voices/${path}`), progress(path));
    try {
      voices.push({ ...info, state: readVoice(SafetensorsFile.open(file, path), config, path) });
    } finally {
      file.close();
    }
  }
  const tokenizer = await store.bytes(at("tokenizer.model"));
  const weights = await store.get(at("model.safetensors"), progress("model.safetensors"));
  const { precision, cloning } = message;
  try {
    engine = new InlineEngine({ config, weights, tokenizer, voices, precision, cloning });
  } finally {
    // The encoder is asked for the weights again.
    if (!cloning) weights.close();
  }
  const { sampleRate, defaultVoice } = engine;
  scope.postMessage({ kind: "opened", sampleRate, defaultVoice, voices: engine.listVoices() });
}

async function speak(id: number, request: PlainRequest): Promise<void> {
  const turn: Turn = { isCancelled: false, taken: 0, wake: () => {} };
  turns.set(id, turn);
  try {
    let made = 0;
    for await (const pcm of engine!.speak(request)) {
      if (turn.isCancelled) break;
      scope.postMessage({ kind: "audio", id, pcm }, [pcm.buffer as ArrayBuffer]);
      made++;
      await messagesWereRead();
      while (!turn.isCancelled && made - turn.taken >= maxFramesAhead) {
        await new Promise<void>((wake) => {
          turn.wake = wake;
        });
      }
      if (turn.isCancelled) break;
    }
    scope.postMessage({ kind: "end", id });
  } catch (error) {
    scope.postMessage({ kind: "end", id, error: plain(error) });
  } finally {
    turns.delete(id);
  }
}

const channel = new MessageChannel();
channel.port1.start();

/** Resolves in a later task than those that are waiting now. */
function messagesWereRead(): Promise<void> {
  return new Promise((resolve) => {
    channel.port1.addEventListener("message", () => resolve(), { once: true });
    channel.port2.postMessage(null);
  });
}

function plain(error: unknown): PlainError {
  const code = isLongwaveError(error) ? error.code : "tts/worker-failed";
  return { code, message: error instanceof Error ? error.message : String(error) };
}

scope.onmessage = ({ data: message }) => {
  if (message.kind === "open") {
    open(message).catch((error: unknown) => scope.postMessage({ kind: "failed", error: plain(error) }));
  } else if (message.kind === "speak") {
    void speak(message.id, message.request);
  } else {
    const turn = turns.get(message.id);
    if (turn === undefined) return;
    if (message.kind === "taken") turn.taken++;
    else turn.isCancelled = true;
    turn.wake();
  }
};
