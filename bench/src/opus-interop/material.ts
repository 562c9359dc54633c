import { encodeWav } from "@longwave/media";

/** Seconds of each test sound. */
const seconds = 3;

/** A pseudo-random sequence in -1..1, the same on every run. */
function noiseSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Buzz with gliding pitch and pauses, so that voice coders and DTX have something to do. */
function speech(frames: number): Float32Array {
  const noise = noiseSource(1);
  const sound = new Float32Array(frames);
  let phase = 0;
  let low = 0;
  for (let i = 0; i < frames; i++) {
    const t = i / 48_000;
    const spoken = t % 1.5 < 0.8;
    phase += (110 + 60 * Math.sin(t * 4)) / 48_000;
    const source = spoken ? (phase % 1) * 2 - 1 + 0.1 * noise() : 0.0005 * noise();
    low += 0.15 * (source - low);
    sound[i] = 0.4 * low * (spoken ? 0.5 + 0.5 * Math.sin(t * 25) : 1);
  }
  return sound;
}

/** Decaying notes with a little noise; each channel has its own. */
function music(frames: number, channel: number): Float32Array {
  const noise = noiseSource(channel + 2);
  return Float32Array.from({ length: frames }, (_, i) => {
    const t = i / 48_000;
    const since = (t + channel * 0.11) % 0.5;
    const pitch = 220 * 2 ** (((Math.floor(t * 2) * 5 + channel * 4) % 24) / 12);
    const tone = Math.sin(2 * Math.PI * pitch * t) + 0.4 * Math.sin(4 * Math.PI * pitch * t + channel);
    return 0.25 * Math.exp(-4 * since) * tone + 0.01 * noise();
  });
}

/** A WAV file of a test sound: speech-like where `isSpeech`, else music; `extraFrames` make an odd length. */
export function testWav(channels: number, isSpeech: boolean, extraFrames = 0): Uint8Array {
  const frames = seconds * 48_000 + extraFrames;
  const voice = isSpeech ? speech(frames) : undefined;
  const pcm = new Float32Array(frames * channels);
  for (let channel = 0; channel < channels; channel++) {
    const sound = voice ?? music(frames, channel);
    const level = 1 - channel * 0.08;
    for (let i = 0; i < frames; i++) pcm[i * channels + channel] = sound[i]! * level;
  }
  return encodeWav(pcm, { sampleRate: 48_000, channels, encoding: "s16" });
}
