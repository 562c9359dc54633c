import { signal } from "@preact/signals";
import { problemText, request } from "../api.ts";
import workletUrl from "./player-worklet.ts?worker&url";

export type PlayerState = "stopped" | "starting" | "playing" | "failed";

export const playerState = signal<PlayerState>("stopped");
export const playerProblem = signal("");
export const volume = signal(0.8);

let context: AudioContext | undefined;
let gain: GainNode | undefined;
let stop: AbortController | undefined;

/** Starts or stops listening. Must be called from a click or a key, as browsers want it. */
export async function toggleListening(streamId: string): Promise<void> {
  if (playerState.value === "playing" || playerState.value === "starting") {
    stopListening();
    return;
  }
  playerState.value = "starting";
  const abort = new AbortController();
  stop = abort;
  try {
    context = new AudioContext({ sampleRate: 48_000, latencyHint: "balanced" });
    await context.audioWorklet.addModule(workletUrl);
    const node = new AudioWorkletNode(context, "longwave-player", { outputChannelCount: [2] });
    gain = new GainNode(context, { gain: volume.value });
    node.connect(gain).connect(context.destination);
    const path = `/v1/streams/${encodeURIComponent(streamId)}/audio?format=pcm`;
    const response = await request(path, { signal: abort.signal });
    playerState.value = "playing";
    await pump(response.body!.getReader(), node.port);
    if (!abort.signal.aborted) throw new Error("The stream has ended.");
  } catch (error) {
    if (abort.signal.aborted) return;
    playerProblem.value = problemText(error);
    release();
    playerState.value = "failed";
  }
}

export function stopListening(): void {
  stop?.abort();
  release();
  playerState.value = "stopped";
}

/** The server is there again: that the sound broke off before is no news any more. */
export function forgetFailure(): void {
  if (playerState.value === "failed") playerState.value = "stopped";
}

export function setVolume(value: number): void {
  volume.value = value;
  if (gain !== undefined && context !== undefined)
    gain.gain.setTargetAtTime(value, context.currentTime, 0.02);
}

function release(): void {
  void context?.close();
  context = undefined;
  gain = undefined;
}

/** Hands 16-bit stereo PCM to the worklet; a sample frame cut by the network waits for its rest. */
async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, port: MessagePort): Promise<void> {
  let rest = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    const whole = bytes.length - (bytes.length % 4);
    rest = bytes.slice(whole);
    const samples = new Int16Array(bytes.buffer.slice(0, whole));
    port.postMessage(samples, [samples.buffer]);
  }
}
