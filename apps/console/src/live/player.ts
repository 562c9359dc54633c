import { computed, signal } from "@preact/signals";
import { needsToken, problemText, request } from "../api.ts";
import workletUrl from "./player-worklet.ts?worker&url";

export type PlayerState = "stopped" | "starting" | "playing" | "waiting" | "failed";

/** It waits where the sound broke off: it goes on by itself as soon as the server sends it again. */
export const playerState = signal<PlayerState>("stopped");
export const playerProblem = signal("");
export const volume = signal(0.8);

let context: AudioContext | undefined;
let gain: GainNode | undefined;
let stop: AbortController | undefined;

/** Waits after failures in a row. */
const retryMs = [500, 1000, 2000, 4000] as const;

export const isListening = computed(
  () =>
    playerState.value === "playing" || playerState.value === "starting" || playerState.value === "waiting",
);

/** Starts or stops listening. Must be called from a click or a key, as browsers want it. */
export async function toggleListening(streamId: string): Promise<void> {
  if (isListening.value) {
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
    await follow(streamId, node.port, abort.signal);
  } catch (error) {
    if (abort.signal.aborted) return;
    playerProblem.value = problemText(error);
    release();
    playerState.value = "failed";
  }
}

/** Plays a stream until `stop` aborts; asks for it again where it ends or the server goes away. */
async function follow(streamId: string, port: MessagePort, stop: AbortSignal): Promise<void> {
  const path = `/v1/streams/${encodeURIComponent(streamId)}/audio?format=pcm`;
  let failures = 0;
  while (!stop.aborted) {
    try {
      const response = await request(path, { signal: stop });
      playerState.value = "playing";
      failures = 0;
      await pump(response.body!.getReader(), port);
      throw new Error("The stream has ended.");
    } catch (error) {
      if (stop.aborted) return;
      playerProblem.value = `${problemText(error)} The sound goes on by itself when it can.`;
      playerState.value = "waiting";
    }
    const waitMs = retryMs[Math.min(failures++, retryMs.length - 1)];
    do await new Promise((resolve) => setTimeout(resolve, waitMs));
    while (needsToken.value && !stop.aborted);
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
