import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { sharedPath } from "@longwave/testkit";

/** Path of the golden file `name`, or undefined where the shared data is absent. */
export function goldenPath(name: string): string | undefined {
  return sharedPath(`data/fingerprint/${name}`);
}

/** The u32 words of a golden file after `skip` bytes. */
export function goldenWords(name: string, skip: number): Uint32Array {
  const bytes = readFileSync(goldenPath(name)!);
  const words = new Uint32Array((bytes.length - skip) / 4);
  for (let i = 0; i < words.length; i++) words[i] = bytes.readUInt32LE(skip + 4 * i);
  return words;
}

/** The "synthetic" input of the golden files: two sines and xorshift noise, 6 s, every operation rounded to f32. */
export function syntheticInput(sampleRate: number): Float32Array {
  const f = Math.fround;
  const out = new Float32Array(6 * sampleRate);
  const turn = f(2 * f(Math.PI));
  const w1 = f(turn * 880);
  const w2 = f(turn * 1320);
  let x = 0xcafe;
  for (let i = 0; i < out.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const noise = f(f(f(x | 0) / 2147483648) * f(0.05));
    const t = f(f(i) / f(sampleRate));
    const low = f(0.5 * f(Math.sin(f(w1 * t))));
    const high = f(f(0.3) * f(Math.sin(f(w2 * t))));
    out[i] = f(f(low + high) + noise);
  }
  return out;
}

/** The "piano" input: the licensed Vorbis file decoded to f32 at 48 kHz, or undefined where file or ffmpeg is absent. */
export function pianoInput(): Float32Array | undefined {
  const path = sharedPath("data/audio/piano.ogg");
  if (path === undefined) return undefined;
  const result = spawnSync("ffmpeg", ["-v", "error", "-i", path, "-f", "f32le", "-"], { maxBuffer: 1 << 26 });
  if (result.status !== 0) return undefined;
  return new Float32Array(new Uint8Array(result.stdout).buffer);
}
