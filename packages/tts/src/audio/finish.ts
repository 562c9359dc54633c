import { TtsError } from "../errors.ts";

/** What is done to finished speech, in this order; everything is off by default. */
export interface FinishOptions {
  /** Remove the constant part: first-order high-pass, -3 dB near 20 Hz. */
  readonly dcBlock?: boolean;
  /** Scale so that the largest magnitude is 1 (silence stays silence). */
  readonly normalize?: boolean;
  /** Linear fade at the start, milliseconds, 0 or more. */
  readonly fadeInMs?: number;
  /** Linear fade at the end, milliseconds, 0 or more. */
  readonly fadeOutMs?: number;
}

/**
 * Applies the chain in place to mono samples: DC block, peak normalisation, fades. A fade longer than the sound covers all of it.
 * @throws TtsError `tts/option-invalid` for a negative or non-finite fade
 */
export function finish(pcm: Float32Array, sampleRate: number, options: FinishOptions): void {
  const fadeIn = fadeFrames("fadeInMs", options.fadeInMs ?? 0, sampleRate, pcm.length);
  const fadeOut = fadeFrames("fadeOutMs", options.fadeOutMs ?? 0, sampleRate, pcm.length);
  if (options.dcBlock) blockDc(pcm, sampleRate);
  if (options.normalize) normalizePeak(pcm);
  for (let i = 0; i < fadeIn; i++) pcm[i]! *= i / fadeIn;
  for (let i = 0; i < fadeOut; i++) pcm[pcm.length - 1 - i]! *= i / fadeOut;
}

/** y[n] = x[n] - x[n-1] + r y[n-1] with r = 1 - 2 pi 20 Hz / rate, from a state at rest on the first sample. */
function blockDc(pcm: Float32Array, sampleRate: number): void {
  const r = 1 - (2 * Math.PI * 20) / sampleRate;
  let x1 = pcm[0] ?? 0;
  let y1 = 0;
  for (let i = 0; i < pcm.length; i++) {
    const x = pcm[i]!;
    y1 = x - x1 + r * y1;
    x1 = x;
    pcm[i] = y1;
  }
}

function normalizePeak(pcm: Float32Array): void {
  let peak = 0;
  for (let i = 0; i < pcm.length; i++) peak = Math.max(peak, Math.abs(pcm[i]!));
  if (peak === 0) return;
  for (let i = 0; i < pcm.length; i++) pcm[i]! /= peak;
}

function fadeFrames(name: string, milliseconds: number, sampleRate: number, frames: number): number {
  if (!(milliseconds >= 0 && Number.isFinite(milliseconds))) {
    throw new TtsError("tts/option-invalid", `${name} is ${milliseconds}; give milliseconds of 0 or more.`);
  }
  return Math.min(frames, Math.round((milliseconds * sampleRate) / 1000));
}
