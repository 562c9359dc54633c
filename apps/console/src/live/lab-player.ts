import { signal } from "@preact/signals";
import { stopArchive } from "./archive-player.ts";
import { stopListening, volume } from "./player.ts";

/** Which of the two is heard. */
export const heardSide = signal<"a" | "b">("b");
export const labPlaying = signal(false);
/** What the second of the two is. */
export const labSideB = signal("Opus");

let context: AudioContext | undefined;
let sources: AudioBufferSourceNode[] = [];
let gains: GainNode[] = [];
let startedAt = 0;
let length = 1;

/** Plays both at once, in step, again and again; one of them is heard. From `fromSeconds` on. */
export async function playLab(
  a: Float32Array,
  b: Float32Array,
  fromSeconds = 0,
  sideB = "Opus",
): Promise<void> {
  stopLab();
  labSideB.value = sideB;
  stopListening();
  stopArchive();
  context ??= new AudioContext({ sampleRate: 48_000 });
  await context.resume();
  const at = context.currentTime + 0.05;
  sources = [];
  gains = [];
  for (const [side, pcm] of [
    ["a", a],
    ["b", b],
  ] as const) {
    const buffer = stereoBuffer(pcm);
    const gain = new GainNode(context, { gain: heardSide.value === side ? volume.value : 0 });
    const source = new AudioBufferSourceNode(context, { buffer, loop: true });
    source.connect(gain).connect(context.destination);
    length = buffer.duration;
    source.start(at, fromSeconds % length);
    sources.push(source);
    gains.push(gain);
  }
  startedAt = at - fromSeconds;
  labPlaying.value = true;
}

export function hear(side: "a" | "b"): void {
  heardSide.value = side;
  const now = context?.currentTime ?? 0;
  gains[0]?.gain.setTargetAtTime(side === "a" ? volume.value : 0, now, 0.01);
  gains[1]?.gain.setTargetAtTime(side === "b" ? volume.value : 0, now, 0.01);
}

/** Where the sound stands, in seconds. */
export function labPosition(): number {
  return labPlaying.value && context !== undefined
    ? Math.max(0, context.currentTime - startedAt) % length
    : 0;
}

export function stopLab(): void {
  for (const source of sources) source.stop();
  for (const gain of gains) gain.disconnect();
  sources = [];
  gains = [];
  labPlaying.value = false;
}

function stereoBuffer(pcm: Float32Array): AudioBuffer {
  const buffer = new AudioBuffer({ length: pcm.length / 2, numberOfChannels: 2, sampleRate: 48_000 });
  for (let channel = 0; channel < 2; channel++) {
    const out = buffer.getChannelData(channel);
    for (let i = 0; i < out.length; i++) out[i] = pcm[2 * i + channel]!;
  }
  return buffer;
}
