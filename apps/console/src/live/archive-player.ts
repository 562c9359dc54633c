import { signal } from "@preact/signals";
import { request } from "../api.ts";
import type { Recording } from "../model.ts";
import { endMs, placeAt } from "./archive-time.ts";
import { stopListening, volume } from "./player.ts";

export type ArchivePlayerState = "stopped" | "loading" | "playing" | "failed";

export const archivePlayer = signal<ArchivePlayerState>("stopped");
export const archiveProblem = signal("");
/** Moment of the archive that is heard now, Unix ms; undefined while nothing plays. */
export const playheadMs = signal<number | undefined>(undefined);
/** From the click to the moment at which the first sample leaves for the loudspeaker, ms. */
export const startDelayMs = signal<number | undefined>(undefined);

/** The first piece is short, so that it is there at once; the others are fetched while it plays. */
const firstFrames = 24_000;
const pieceFrames = 192_000;
const aheadSeconds = 5;

let context: AudioContext | undefined;
let gain: GainNode | undefined;
let stop: AbortController | undefined;
let timer: number | undefined;

/** Makes the sound output ready: from the first press or key on, before the click that plays is over. */
export function prepareSound(): AudioContext {
  context ??= new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
  if (context.state === "suspended") void context.resume();
  return context;
}

/** Plays the archive from a moment on, over gaps, until its end. Call it from a click or a key. */
export async function playArchive(
  recordings: () => readonly Recording[],
  fromMs: number,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const asked = performance.now();
  stopArchive();
  stopListening();
  const abort = new AbortController();
  stop = abort;
  archivePlayer.value = "loading";
  archiveProblem.value = "";
  startDelayMs.value = undefined;
  try {
    const output = prepareSound();
    const ready = output.resume();
    gain = new GainNode(output, { gain: volume.value });
    gain.connect(output.destination);
    /** What sounds when: context time and archive time of each piece. */
    const pieces: { at: number; ms: number; seconds: number }[] = [];
    let nextMs = fromMs;
    let nextAt = 0;
    timer = window.setInterval(() => follow(pieces), 50);
    while (!abort.signal.aborted && nextMs < untilMs) {
      const place = placeAt(recordings(), nextMs);
      if (place === undefined) {
        // The live edge, or the end: wait for more to be recorded.
        if (nextAt > 0 && output.currentTime > nextAt + 4) break;
        if (nextAt === 0) throw new Error("Nothing was recorded there.");
        await pause(300);
        continue;
      }
      const { recording, span, frame } = place;
      const placeMs = span.startMs + (frame - span.startFrame) / 48;
      const limit = Math.min(
        span.endFrame,
        span.startFrame + Math.ceil((Math.min(untilMs, endMs(span)) - span.startMs) * 48),
      );
      const to = Math.min(limit, frame + (nextAt === 0 ? firstFrames : pieceFrames));
      if (to <= frame) break;
      const buffer = await fetchPiece(recording, frame, to, abort.signal);
      await ready;
      if (abort.signal.aborted) return;
      const at = Math.max(nextAt, output.currentTime + 0.005);
      const source = new AudioBufferSourceNode(output, { buffer });
      source.connect(gain);
      source.start(at);
      if (nextAt === 0) {
        startDelayMs.value =
          performance.now() - asked + 1000 * (at - output.currentTime + output.baseLatency);
        archivePlayer.value = "playing";
      }
      pieces.push({ at, ms: placeMs, seconds: buffer.duration });
      if (pieces.length > 20) pieces.shift();
      nextAt = at + buffer.duration;
      nextMs = placeMs + (to - frame) / 48;
      while (!abort.signal.aborted && nextAt - output.currentTime > aheadSeconds) await pause(200);
    }
    while (!abort.signal.aborted && output.currentTime < nextAt) await pause(50);
    if (!abort.signal.aborted) stopArchive();
  } catch (error) {
    if (abort.signal.aborted) return;
    stopArchive();
    archiveProblem.value = (error as Error).message;
    archivePlayer.value = "failed";
  }
}

export function stopArchive(): void {
  stop?.abort();
  stop = undefined;
  if (timer !== undefined) clearInterval(timer);
  timer = undefined;
  gain?.disconnect();
  gain = undefined;
  playheadMs.value = undefined;
  archivePlayer.value = "stopped";
}

function follow(pieces: readonly { at: number; ms: number; seconds: number }[]): void {
  const now = context?.currentTime ?? 0;
  const piece = pieces.findLast((each) => each.at <= now);
  if (piece !== undefined) playheadMs.value = piece.ms + Math.min(now - piece.at, piece.seconds) * 1000;
}

/** Sample frames `[from, to)` as a buffer. The answer is 16-bit WAV whose data chunk comes last. */
async function fetchPiece(
  { id, channels }: Recording,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<AudioBuffer> {
  const response = await request(`/v1/archive/${encodeURIComponent(id)}?from=${from}&to=${to}`, { signal });
  const bytes = await response.arrayBuffer();
  const view = new DataView(bytes);
  const data = 0x64617461;
  let at = 12;
  while (at + 8 <= bytes.byteLength && view.getUint32(at) !== data) at += 8 + view.getUint32(at + 4, true);
  const frames = Math.floor((bytes.byteLength - at - 8) / (2 * channels));
  if (frames < 1) throw new Error("The archive gave no sound for this moment.");
  const samples = new Int16Array(bytes.slice(at + 8, at + 8 + frames * channels * 2));
  const buffer = new AudioBuffer({ length: frames, numberOfChannels: channels, sampleRate: 48_000 });
  for (let channel = 0; channel < channels; channel++) {
    const out = buffer.getChannelData(channel);
    for (let i = 0; i < frames; i++) out[i] = samples[i * channels + channel]! / 32_768;
  }
  return buffer;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
