import { signal } from "@preact/signals";
import { problemText, request } from "../api.ts";
import type { Recording } from "../model.ts";
import { endMs, placeAt } from "./archive-time.ts";
import { stopListening, volume } from "./player.ts";
import { heardAt, soundOutput, wakeSoundOutput } from "./sound-output.ts";

export type ArchivePlayerState = "stopped" | "loading" | "playing" | "failed";

export const archivePlayer = signal<ArchivePlayerState>("stopped");
export const archiveProblem = signal("");
/** Moment of the archive that is heard now, Unix ms; undefined while nothing plays. */
export const playheadMs = signal<number | undefined>(undefined);
/** From the click (the browser's own time of it) to the moment at which the first sample leaves for the loudspeaker, ms. */
export const startDelayMs = signal<number | undefined>(undefined);

/** Sound that is not there after this time is said to be on its way. */
const patienceMs = 150;
/** The first piece is short, so that it is there at once; the others are fetched while it plays. */
const firstFrames = 24_000;
const pieceFrames = 192_000;
const aheadSeconds = 5;

let gain: GainNode | undefined;
let stop: AbortController | undefined;
let timer: number | undefined;

/** The first piece of the moment that a press points at. */
let aimed: { readonly path: string; readonly piece: Promise<AudioBuffer> } | undefined;

/** Asks for the first piece of a moment: called when a button goes down, so that the sound is there when the press is a click. */
export function aimAt(recordings: readonly Recording[], ms: number): void {
  const place = placeAt(recordings, ms);
  if (place === undefined) return;
  const path = piecePath(
    place.recording,
    place.frame,
    Math.min(place.span.endFrame, place.frame + firstFrames),
  );
  if (aimed?.path === path) return;
  const piece = fetchPiece(path, place.recording.channels);
  // Whoever plays it asks again, and says what was wrong.
  piece.catch(() => {
    aimed = undefined;
  });
  aimed = { path, piece };
}

/**
 * Plays the archive from a moment on, over gaps, until its end. Call it from a click or a key; `askedAt` is the time of that event,
 * on the page's clock.
 */
export async function playArchive(
  recordings: () => readonly Recording[],
  fromMs: number,
  askedAt: number,
  { untilMs = Number.POSITIVE_INFINITY, onStart }: { untilMs?: number; onStart?: () => void } = {},
): Promise<void> {
  stopArchive();
  stopListening();
  const abort = new AbortController();
  stop = abort;
  // Whatever is drawn at a click comes before the sound in the browser's thread: so nothing is, where the sound is quick.
  const waiting = setTimeout(() => {
    archivePlayer.value = "loading";
  }, patienceMs);
  abort.signal.addEventListener("abort", () => clearTimeout(waiting));
  archiveProblem.value = "";
  startDelayMs.value = undefined;
  try {
    const output = soundOutput();
    const awake = wakeSoundOutput();
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
      const buffer = await pieceOf(recording, frame, to, abort.signal);
      await awake;
      if (abort.signal.aborted) return;
      const at = Math.max(nextAt, output.currentTime + 0.005);
      const source = new AudioBufferSourceNode(output, { buffer });
      source.connect(gain);
      source.start(at);
      if (nextAt === 0) {
        clearTimeout(waiting);
        startDelayMs.value = heardAt(output, at) - askedAt;
        archivePlayer.value = "playing";
        onStart?.();
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
    archiveProblem.value = problemText(error);
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
  const now = soundOutput().currentTime;
  const piece = pieces.findLast((each) => each.at <= now);
  if (piece !== undefined) playheadMs.value = piece.ms + Math.min(now - piece.at, piece.seconds) * 1000;
}

/** Sample frames `[from, to)`: as they were aimed at, or asked for now. */
async function pieceOf(
  recording: Recording,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<AudioBuffer> {
  const path = piecePath(recording, from, to);
  const early = aimed?.path === path ? aimed.piece.catch(() => undefined) : undefined;
  aimed = undefined;
  return (await early) ?? fetchPiece(path, recording.channels, signal);
}

function piecePath({ id }: Recording, from: number, to: number): string {
  return `/v1/archive/${encodeURIComponent(id)}?from=${from}&to=${to}`;
}

/** A piece as a buffer. The answer is 16-bit WAV whose data chunk comes last. */
async function fetchPiece(path: string, channels: number, signal?: AbortSignal): Promise<AudioBuffer> {
  // Before what the page reads to keep its pictures up to date.
  const response = await request(path, { priority: "high", ...(signal !== undefined && { signal }) });
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
