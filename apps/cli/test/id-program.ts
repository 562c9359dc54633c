import { spawnSync } from "node:child_process";
import { SeededRandom } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";

/** The built program, and the rate of the sounds that are made for it. */
export const program = repositoryPath("apps/cli/dist/main.js");
export const sampleRate = 8000;

/** Random notes, told apart by their seed. */
export function song(seed: number, seconds = 6): Float32Array {
  const random = new SeededRandom(seed);
  const out = new Float32Array(seconds * sampleRate);
  for (let start = 0; start < out.length; start += 1000 + random.below(3000)) {
    const frequency = 110 * 2 ** (random.below(40) / 12);
    for (let i = start; i < Math.min(out.length, start + 4500); i++) {
      const t = (i - start) / sampleRate;
      for (let h = 1; h < 6; h++)
        out[i]! += (0.15 / h) * Math.sin(2 * Math.PI * frequency * h * t) * Math.exp(-5 * t);
    }
  }
  return out;
}

export const wav = (samples: Float32Array) =>
  encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" });
/** Interleaved 16-bit PCM with the same sound in every channel: the values that `wav` has after its header. */
export function rawPcm(samples: Float32Array, channels: number): Buffer {
  const mono = Buffer.from(wav(samples)).subarray(-2 * samples.length);
  const bytes = Buffer.alloc(channels * mono.length);
  for (let i = 0; i < samples.length * channels; i++) {
    bytes.writeInt16LE(mono.readInt16LE(2 * Math.floor(i / channels)), 2 * i);
  }
  return bytes;
}

export function longwave(args: readonly string[], input?: Uint8Array, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "id", ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    ...(input !== undefined && { input }),
  });
  return {
    status,
    stderr,
    stdout,
    events: () =>
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
  };
}
